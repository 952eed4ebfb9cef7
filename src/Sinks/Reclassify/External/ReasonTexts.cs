namespace ConntrackStream.Sinks.Reclassify.External;

/// <summary>
/// Reasons as strings: printable, at most 64 characters, and the same object for the same reason as long as there are few of them.
/// </summary>
internal sealed class ReasonTexts
{
    internal const int MaxLength = 64;
    private const int MaxKept = 1024;

    private readonly HashSet<string> _kept = new(StringComparer.Ordinal);
    private readonly HashSet<string>.AlternateLookup<ReadOnlySpan<char>> _lookup;

    internal ReasonTexts() => _lookup = _kept.GetAlternateLookup<ReadOnlySpan<char>>();

    internal string Get(ReadOnlySpan<char> text)
    {
        Span<char> clean = stackalloc char[MaxLength];
        int length = Clean(text, clean);
        if (_lookup.TryGetValue(clean[..length], out string? known))
            return known;
        string made = new(clean[..length]);
        if (_kept.Count < MaxKept)
            _kept.Add(made);
        return made;
    }

    /// <summary>What of a foreign text may go into a log; also for standard error and samples of faulty lines.</summary>
    internal static int Clean(ReadOnlySpan<char> text, Span<char> clean)
    {
        int length = 0;
        foreach (char character in text)
        {
            if (length == clean.Length)
                break;
            if (!char.IsControl(character) && !char.IsSurrogate(character) && !IsLineBreakOrFormat(character))
                clean[length++] = character;
        }

        return length;
    }

    private static bool IsLineBreakOrFormat(char character) => char.GetUnicodeCategory(character)
        is System.Globalization.UnicodeCategory.Format
        or System.Globalization.UnicodeCategory.LineSeparator
        or System.Globalization.UnicodeCategory.ParagraphSeparator
        or System.Globalization.UnicodeCategory.OtherNotAssigned;
}
