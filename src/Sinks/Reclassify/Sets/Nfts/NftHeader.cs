using ConntrackStream.EventTap.Netlink;
using static ConntrackStream.Sinks.Netlink.NfTables;

namespace ConntrackStream.Sinks.Reclassify.Sets.Nfts;

/// <summary>What NFT_MSG_NEWSET says of a set.</summary>
internal sealed record NftHeader(uint KeyType, uint KeyLength, uint Flags)
{
    internal bool IsInterval => (Flags & NFT_SET_INTERVAL) != 0;

    /// <summary>Members may come from the packet path or be renewed there, which nobody is notified of.</summary>
    internal bool ChangesSilently => (Flags & (NFT_SET_TIMEOUT | NFT_SET_EVAL)) != 0;

    internal static NftHeader? Read(AttributeReader attributes)
    {
        uint keyType = 0, keyLength = 0, flags = 0;
        while (attributes.Next())
        {
            switch (attributes.Type)
            {
                case NFTA_SET_FLAGS:
                    flags = attributes.U32();
                    break;
                case NFTA_SET_KEY_TYPE:
                    keyType = attributes.U32();
                    break;
                case NFTA_SET_KEY_LEN:
                    keyLength = attributes.U32();
                    break;
            }
        }

        return attributes.Malformed ? null : new NftHeader(keyType, keyLength, flags);
    }
}
