using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Sinks.Reclassify.Sets.Model;
using static ConntrackStream.Sinks.Netlink.NfTables;

namespace ConntrackStream.Sinks.Reclassify.Sets.Nfts;

/// <summary>One member as a dump, an answer or a notification tells it.</summary>
internal ref struct NftElement
{
    internal ReadOnlySpan<byte> Key; // NFTA_SET_ELEM_KEY
    internal ReadOnlySpan<byte> KeyEnd; // NFTA_SET_ELEM_KEY_END: the last key of a range of concatenations
    internal uint Flags; // NFTA_SET_ELEM_FLAGS
    internal TimeSpan? Left; // NFTA_SET_ELEM_EXPIRATION, ms

    internal readonly bool IsIntervalEnd => (Flags & NFT_SET_ELEM_INTERVAL_END) != 0;

    internal readonly bool IsCatchAll => (Flags & NFT_SET_ELEM_CATCHALL) != 0;

    /// <summary>By <see cref="SetClock"/>; 0 for none.</summary>
    internal readonly uint DeadlineFrom(uint now) => Left is { } left ? SetClock.After(now, left) : 0;

    /// <summary>Reads an NFTA_LIST_ELEM.</summary>
    internal static bool TryRead(AttributeReader attributes, out NftElement element)
    {
        element = default;
        while (attributes.Next())
        {
            switch (attributes.Type)
            {
                case NFTA_SET_ELEM_KEY:
                    element.Key = ReadData(attributes.Nested());
                    break;
                case NFTA_SET_ELEM_KEY_END:
                    element.KeyEnd = ReadData(attributes.Nested());
                    break;
                case NFTA_SET_ELEM_FLAGS:
                    element.Flags = attributes.U32();
                    break;
                case NFTA_SET_ELEM_EXPIRATION:
                    element.Left = TimeSpan.FromMilliseconds(Math.Min(attributes.U64(), uint.MaxValue * 1000UL));
                    break;
            }
        }

        return !attributes.Malformed;
    }

    private static ReadOnlySpan<byte> ReadData(AttributeReader data)
    {
        while (data.Next())
        {
            if (data.Type == NFTA_DATA_VALUE)
                return data.Value;
        }

        return default;
    }
}
