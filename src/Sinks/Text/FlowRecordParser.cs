using System.Text.Json;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;

namespace ConntrackStream.Sinks.Text;

/// <summary>
/// Reads flow-log records (one JSON object a line) back into the events they were made of: the inverse of FlowRecordWriter.
/// </summary>
/// <remarks>
/// start becomes New, update Update and end Destroy. Ids of flows, origins and hosts belong to the service that wrote them and are not
/// taken over; fields that other versions may add are skipped. A record does not carry an ICMP reply's type: it is the
/// original's counterpart, as in the kernel.
/// </remarks>
public static class FlowRecordParser
{
    /// <summary>Reads one record, without its line feed.</summary>
    /// <param name="extras">Called at most once, for the rare fields.</param>
    /// <param name="gap">Set if the record is a gap: <paramref name="e"/> then is of no use.</param>
    /// <param name="problem">What is wrong, and where; null for refused connections, which are neither.</param>
    /// <returns>False when there is neither an event nor a gap.</returns>
    public static bool TryParse(
        ReadOnlySpan<byte> line, ref FlowEvent e, Func<FlowExtras> extras, out FlowGap? gap, out string? problem) =>
        TryParse(line, isEcs: false, ref e, extras, out gap, out problem);

    /// <inheritdoc cref="TryParse(ReadOnlySpan{byte}, ref FlowEvent, Func{FlowExtras}, out FlowGap?, out string?)"/>
    /// <param name="isEcs">It is a record in the Elastic Common Schema.</param>
    internal static bool TryParse(
        ReadOnlySpan<byte> line, bool isEcs, ref FlowEvent e, Func<FlowExtras> extras, out FlowGap? gap, out string? problem)
    {
        gap = null;
        if (!isEcs && line.StartsWith("{\"@timestamp\":"u8))
        {
            problem = "a record of the format ecs, which cannot be read back; FlowLog:Format=json writes one that can";
            return false;
        }

        FlowRecord record = new(extras);
        try
        {
            if (!(isEcs ? record.TryReadEcs(line) : record.TryRead(line)))
            {
                problem = record.Problem;
                return false;
            }
        }
        catch (JsonException error)
        {
            problem = FormattableString.Invariant($"column {(error.BytePositionInLine ?? 0) + 1}: not valid JSON");
            return false;
        }
        catch (InvalidOperationException) // Utf8JsonReader's word for text that is no UTF-8, and for an escaped lone surrogate
        {
            problem = "a text that is not valid UTF-8";
            return false;
        }

        if (record.IsRefusal)
        {
            problem = null;
            return false;
        }

        bool made = record.IsGap ? record.TryMakeGap(out gap) : record.TryMakeEvent(ref e);
        problem = record.Problem;
        return made;
    }
}
