using System.Globalization;
using ConntrackStream.Sinks.Reclassify.Classify;

namespace ConntrackStream.Sinks.Reclassify.External;

/// <summary>What stands where the external classifier has not answered: the flow stays, and may be asked about again soon.</summary>
internal static class ExternalVerdicts
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(1);

    internal static readonly Verdict NotRunning = Kept("the external classifier is not running");
    internal static readonly Verdict Busy = Kept("the external classifier has too many open questions");
    internal static readonly Verdict Ended = Kept("the external classifier ended before it answered");
    internal static readonly Verdict Unusable = Kept("the external classifier's answer cannot be used");

    internal static Verdict NoAnswer(TimeSpan deadline) => Kept(string.Create(
        CultureInfo.InvariantCulture, $"no answer from the external classifier in {deadline.TotalMilliseconds:0.#} ms"));

    private static Verdict Kept(string reason) => new(VerdictKind.Keep, Reason: reason, ValidFor: Soon);
}
