namespace ConntrackStream.Sinks.Text;

/// <summary>Unsigned numbers as conntrack prints them: digits only, no sign, no blanks.</summary>
internal static class NumberText
{
    internal static bool TryParse(ReadOnlySpan<byte> text, ulong max, out ulong value) => TryParse(text, 10, max, out value);

    /// <summary>Hexadecimal after <c>0x</c>, else decimal.</summary>
    internal static bool TryParsePrefixed(ReadOnlySpan<byte> text, ulong max, out ulong value) =>
        text.StartsWith("0x"u8) ? TryParse(text[2..], 16, max, out value) : TryParse(text, 10, max, out value);

    private static bool TryParse(ReadOnlySpan<byte> text, uint radix, ulong max, out ulong value)
    {
        value = 0;
        foreach (byte character in text)
        {
            uint digit = char.IsAsciiHexDigit((char)character)
                ? (uint)(character <= '9' ? character - '0' : (character | 0x20) - 'a' + 10)
                : radix;
            if (digit >= radix || value > (max - digit) / radix)
                return false;
            value = (value * radix) + digit;
        }

        return !text.IsEmpty;
    }
}
