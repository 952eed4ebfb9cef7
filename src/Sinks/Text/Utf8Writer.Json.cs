using System.Buffers;

namespace ConntrackStream.Sinks.Text;

public ref partial struct Utf8Writer
{
    private static readonly SearchValues<char> NeedsEscape = SearchValues.Create(
        string.Concat(Enumerable.Range(0, char.MaxValue + 1).Select(code => (char)code).Where(PrintableText.IsUnprintable)) + "\"\\");

    /// <summary>
    /// A JSON string with its quotes (RFC 8259, 7). What <see cref="PrintableText"/> escapes is escaped here; a lone surrogate becomes
    /// U+FFFD.
    /// </summary>
    public void JsonString(scoped ReadOnlySpan<char> text)
    {
        Byte((byte)'"');
        while (true)
        {
            int plain = text.IndexOfAny(NeedsEscape);
            if (plain < 0)
                break;
            Text(text[..plain]);
            Escape(text[plain]);
            text = text[(plain + 1)..];
        }

        Text(text);
        Byte((byte)'"');
    }

    private void Escape(char character)
    {
        Byte((byte)'\\');
        switch (character)
        {
            case '"' or '\\':
                Byte((byte)character);
                break;
            case '\b':
                Byte((byte)'b');
                break;
            case '\t':
                Byte((byte)'t');
                break;
            case '\n':
                Byte((byte)'n');
                break;
            case '\f':
                Byte((byte)'f');
                break;
            case '\r':
                Byte((byte)'r');
                break;
            default:
                Byte((byte)'u');
                PaddedHex(character, 4);
                break;
        }
    }
}
