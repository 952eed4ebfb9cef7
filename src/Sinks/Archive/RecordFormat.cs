namespace ConntrackStream.Sinks.Archive;

/// <summary>How a log's records are written: <c>FlowLog:Format</c>.</summary>
internal enum RecordFormat : byte
{
    Json,
    Ecs,
    Text,
}

internal static class RecordFormats
{
    /// <summary>
    /// Text that each gap has, and no other record. It ends differently than it begins, and has no quotation mark at either end: the
    /// vectorised search compares both ends.
    /// </summary>
    internal static byte[] GapNeedle(this RecordFormat format) => (format switch
    {
        RecordFormat.Ecs => "n\":\"gap\",\"c"u8,
        RecordFormat.Text => "# gap r"u8,
        _ => "event\":\"gap"u8,
    }).ToArray();
}
