using ConntrackStream.Sinks.Reclassify.Classify;
using ConntrackStream.Sinks.Reclassify.External;

namespace ConntrackStream.Sinks.Reclassify;

/// <summary>A glance at the reclassifier's figures.</summary>
/// <param name="Rechecks">Flows that will be looked at again.</param>
/// <param name="RechecksRefused">Looks that there was no room for.</param>
/// <param name="Pending">Deletions and resets whose flow has not come back yet.</param>
/// <param name="Armed">Connections whose client will be reset with its next packet.</param>
/// <param name="Awaited">Moves whose outcome decides how many more there may be at once.</param>
/// <param name="Guarded">Client, destination and port under the flap guard's watch.</param>
/// <param name="External">Null when there is no external classifier.</param>
internal sealed record ReclassifyStatus(
    ReclassifyMode Mode, ReclassifyCounters Counters, int Rechecks, long RechecksRefused, int Pending, int Armed, int Awaited, int Guarded,
    IReadOnlyList<ClassifierStatus> Classifiers, ExternalCounters? External);
