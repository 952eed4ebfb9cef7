using System.Globalization;
using System.Text;

namespace ConntrackStream.Sinks.Text;

/// <summary>
/// Text that came from outside (names of processes and sets, contents of files, reasons of a classifier), made fit for a terminal or a log:
/// it can neither move the cursor nor begin a line of its own.
/// </summary>
internal static class PrintableText
{
    /// <summary>Control and format characters as <c>\n</c>, <c>\x1b</c>, <c>\u202e</c>; the text itself when it has none.</summary>
    internal static string Escape(string text)
    {
        int first = IndexOfUnprintable(text, 0);
        if (first < 0)
            return text;
        StringBuilder escaped = new(text.Length + 16);
        int from = 0;
        for (int at = first; at >= 0; at = IndexOfUnprintable(text, from))
        {
            escaped.Append(text, from, at - from).Append(Escape(text[at]));
            from = at + 1;
        }

        return escaped.Append(text, from, text.Length - from).ToString();
    }

    private static int IndexOfUnprintable(string text, int from)
    {
        for (int at = from; at < text.Length; at++)
        {
            if (text[at] is < ' ' or > '~' && IsUnprintable(text[at]))
                return at;
        }

        return -1;
    }

    // Format characters turn the direction of writing round, or are not seen at all.
    internal static bool IsUnprintable(char character) => char.GetUnicodeCategory(character)
        is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator;

    private static string Escape(char character) => character switch
    {
        '\n' => "\\n",
        '\r' => "\\r",
        '\t' => "\\t",
        < '\x100' => $"\\x{(int)character:x2}",
        _ => $"\\u{(int)character:x4}",
    };
}
