using ConntrackStream.Service.Api;
using ConntrackStream.Service.Summary;

namespace ConntrackStream.Service.Verbs.Top;

/// <summary>What happens to the screen, in order.</summary>
internal abstract record TopMessage;

internal sealed record KeyPressed(ConsoleKeyInfo Key) : TopMessage;

/// <summary>The terminal has another size, or was given back.</summary>
internal sealed record Redraw : TopMessage;

/// <param name="Table">The rows.</param>
/// <param name="Entries">Of the kernel's table, whatever the filter.</param>
/// <param name="MostEntries">nf_conntrack_max.</param>
/// <param name="Refusals">Since the kernel's start.</param>
internal sealed record TableRead(TopTable Table, long Entries, long MostEntries, RefusalCounts Refusals) : TopMessage;

internal sealed record RatesRead(RateRecord Rates) : TopMessage;

/// <param name="Reason">Why there are none at the moment.</param>
internal sealed record RatesLost(string Reason) : TopMessage;
