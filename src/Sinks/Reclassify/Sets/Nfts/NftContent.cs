using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.Reclassify.Classify;
using ConntrackStream.Sinks.Reclassify.Sets.Model;

namespace ConntrackStream.Sinks.Reclassify.Sets.Nfts;

/// <summary>What an nftables set or map holds; a map's values do not matter.</summary>
internal abstract class NftContent(NftHeader header, NftKey key) : SetContent
{
    internal override string Type => key.Type;

    internal override int Dimensions => key.Count;

    internal NftHeader Header => header;

    internal NftKey Key => key;

    /// <summary>The member <c>*</c>, which matches what no other does (kernel 5.13).</summary>
    internal bool HasCatchAll { get; private set; }

    protected uint CatchAllDeadline { get; private set; }

    internal override bool Find(in FlowQuestion question, SetDirections directions, uint now, out uint deadline)
    {
        Span<UInt128> values = stackalloc UInt128[NftKey.MaxFields];
        deadline = 0;
        if (!key.TryOf(question, directions, values))
            return false;
        if (FindMember(values, now, out deadline))
            return true;
        deadline = CatchAllDeadline;
        return HasCatchAll && !SetClock.HasPassed(deadline, now);
    }

    /// <param name="before">What the set held before this reading; null if it is the same object.</param>
    internal void SetCatchAll(uint? deadline, uint now, NftContent? before, GainLog gains)
    {
        NftContent old = before ?? this;
        if (deadline is not null && !(old.HasCatchAll && !SetClock.HasPassed(old.CatchAllDeadline, now)))
            gains.AddAll();
        HasCatchAll = deadline is not null;
        CatchAllDeadline = deadline ?? 0;
    }

    protected abstract bool FindMember(ReadOnlySpan<UInt128> values, uint now, out uint deadline);

    protected void AddGain(ReadOnlySpan<UInt128> first, ReadOnlySpan<UInt128> last, GainLog gains)
    {
        if (key.RangeOf(first, last) is { } range)
            gains.Add(range);
        else
            gains.AddAll();
    }
}
