namespace ConntrackStream.Sinks.Archive;

/// <summary>Texts that lines are found by.</summary>
/// <param name="Line">That each wanted line has; empty for all lines.</param>
/// <param name="Gap">That each gap has: <see cref="RecordFormats.GapNeedle"/>.</param>
internal readonly record struct LineNeedles(byte[] Line, byte[] Gap)
{
    internal static readonly LineNeedles AllLines = new([], RecordFormat.Json.GapNeedle());

    /// <summary>Hands a single line out, if a search of many would.</summary>
    internal void HandOut(ReadOnlySpan<byte> line, FoundLine onLine)
    {
        bool isGap = line.IndexOf(Gap) >= 0;
        if (isGap || line.IndexOf(Line) >= 0)
            onLine(line, isGap);
    }
}
