using ConntrackStream.Sinks.Reclassify.Classify;
using ConntrackStream.Sinks.Reclassify.External;

namespace ConntrackStream.Sinks.Reclassify;

/// <summary>A glance at the reclassifier's figures.</summary>
/// <param name="Rechecks">Flows that will be looked at again.</param>
/// <param name="Pending">Deletions whose flow has not come back yet.</param>
/// <param name="Guarded">Client, destination and port under the flap guard's watch.</param>
/// <param name="External">Null when there is no external classifier.</param>
internal sealed record ReclassifyStatus(
    ReclassifyMode Mode, ReclassifyCounters Counters, int Rechecks, long RechecksRefused, int Pending, int Guarded,
    IReadOnlyList<ClassifierStatus> Classifiers, ExternalCounters? External);
