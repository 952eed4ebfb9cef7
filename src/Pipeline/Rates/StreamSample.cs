using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Pipeline.Rates;

/// <summary>What happened to the flows within one interval.</summary>
/// <param name="Interval">Its length.</param>
/// <param name="Started">New flows.</param>
/// <param name="Updated">Changes and interim reports.</param>
/// <param name="Ended">Flows that are over.</param>
/// <param name="Gaps">Times that events, or changes for this subscriber, were lost; the other figures are short by them.</param>
/// <param name="Talkers">The sources with the most bytes, then with the most new flows.</param>
/// <param name="Starters">The sources with the most new flows, then with the most bytes.</param>
public sealed record StreamSample(
    TimeSpan Interval, long Started, long Updated, long Ended, long Gaps, IReadOnlyList<Talker> Talkers, IReadOnlyList<Talker> Starters);

/// <summary>A source of flows.</summary>
/// <param name="Family">Of the address.</param>
/// <param name="Source">Source of the original direction.</param>
/// <param name="Started">Its new flows.</param>
/// <param name="Bytes">Of its flows that ended: both directions, of their whole life; 0 where the kernel does not count.</param>
public readonly record struct Talker(FlowFamily Family, IpAddress Source, long Started, ulong Bytes);
