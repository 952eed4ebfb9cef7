using System.Globalization;
using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Sinks.MapCleaning.Map;

namespace ConntrackStream.Sinks.MapCleaning.Delete;

/// <summary>Keys and evidence in words, for the log.</summary>
internal static class EvidenceText
{
    internal static string Describe(in MapKey key)
    {
        string tuple = MapKeys.IsShared(key.Tuple.Protocol) ? TupleText.DescribeAddresses(key.Tuple) : TupleText.Describe(key.Tuple);
        string link = key.InterfaceIndex == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $" ifindex={key.InterfaceIndex}");
        return $"{tuple} owner={key.Owner.ToIPAddress(key.Tuple.Family)}{link}";
    }

    /// <summary>Why it was nominated, and for what was deleted also what proved it. A flow is named as in the flow log.</summary>
    internal static string Of(in MapDecision decision)
    {
        TombstoneView tombstone = decision.Tombstone;
        double ago = (decision.At - tombstone.Since) / 1e9;
        string nomination = tombstone.Reason == TombstoneReason.Ended
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"its flow {tombstone.FlowId.ToGuid()} (conntrack id {tombstone.ConntrackId}) ended {ago:F1} s ago")
            : string.Create(CultureInfo.InvariantCulture, $"{tombstone.Misses} audits in a row found no flow, the first {ago:F1} s ago");
        if (!decision.IsChange)
            return nomination;
        return MapKeys.IsShared(tombstone.Key.Tuple.Protocol)
            ? $"{nomination}; none in the view after a fresh dump"
            : string.Create(
                CultureInfo.InvariantCulture,
                $"{nomination}; none in the view, and the kernel knows none in "
                + $"{decision.Zones} {(decision.Zones == 1 ? "zone" : "zones")}");
    }
}
