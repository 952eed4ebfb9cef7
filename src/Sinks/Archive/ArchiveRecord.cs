using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Sinks.Archive;

/// <summary>Reads a line of a log in any format.</summary>
internal static class ArchiveRecord
{
    /// <param name="gap">Set if it is a gap: <paramref name="e"/> then is of no use.</param>
    /// <param name="problem">Why it cannot be read; null for what is neither a flow nor a gap, such as refused connections.</param>
    /// <returns>False when there is neither an event nor a gap.</returns>
    internal static bool TryRead(
        RecordFormat format, ReadOnlySpan<byte> line, ref FlowEvent e, ref ArchiveLine fields, Func<FlowExtras> extras, out FlowGap? gap,
        out string? problem)
    {
        if (format == RecordFormat.Text)
            return TryReadText(line, ref e, ref fields, extras, out gap, out problem);
        bool isEcs = format == RecordFormat.Ecs;
        bool isRead = FlowRecordParser.TryParse(line, isEcs, ref e, extras, out gap, out problem);
        if (problem is not null || (isEcs ? fields.TryReadEcs(line) : fields.TryRead(line)))
            return isRead;
        problem = "a field has a value that it cannot have";
        return false;
    }

    private static bool TryReadText(
        ReadOnlySpan<byte> line, ref FlowEvent e, ref ArchiveLine fields, Func<FlowExtras> extras, out FlowGap? gap, out string? problem)
    {
        gap = null;
        if (TextGapParser.IsComment(line))
            return TextGapParser.TryParse(line, out gap, out problem);
        e.Time = 0;
        if (!ConntrackTextParser.TryParse(line, ref e, extras, ConntrackTextOptions.Default, out problem))
            return false;
        if (e.Time == 0)
            problem = "it has no time";
        if (e.Flow.Has(FlowFields.LatestStart)) // the start of what expired, which may lie a minute earlier, is unknown
            e.Flow.Present &= ~(FlowFields.StartTime | FlowFields.LatestStart);
        fields.FlowId = TextFlowId.Of(e.Flow);
        return problem is null;
    }
}
