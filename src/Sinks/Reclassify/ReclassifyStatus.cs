using ConntrackStream.Sinks.Reclassify.Classify;

namespace ConntrackStream.Sinks.Reclassify;

/// <summary>A glance at the reclassifier's figures.</summary>
/// <param name="Rechecks">Flows that will be looked at again.</param>
/// <param name="Pending">Deletions whose flow has not come back yet.</param>
/// <param name="Guarded">Client, destination and port under the flap guard's watch.</param>
internal sealed record ReclassifyStatus(
    ReclassifyMode Mode, ReclassifyCounters Counters, int Rechecks, long RechecksRefused, int Pending, int Guarded, IReadOnlyList<ClassifierStatus> Classifiers);
