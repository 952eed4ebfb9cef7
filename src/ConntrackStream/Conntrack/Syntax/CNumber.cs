namespace ConntrackStream.Service.Conntrack.Syntax;

/// <summary>Numbers as the C library reads them, as conntrack does: what follows a number is not looked at, no digits are 0.</summary>
internal static class CNumber
{
    /// <summary>strtoul(3) with base 0: decimal, 0x… or 0…; a minus negates, what is too large is the largest.</summary>
    /// <param name="rest">What follows the number; the whole text when there is none.</param>
    internal static ulong ParseUnsigned(string text, out string rest)
    {
        int at = SkipSign(text, out bool isNegative);
        uint radix = 10;
        if (at < text.Length && text[at] == '0')
        {
            bool isHex = at + 2 < text.Length && text[at + 1] is 'x' or 'X' && char.IsAsciiHexDigit(text[at + 2]);
            (radix, at) = isHex ? (16u, at + 2) : (8u, at);
        }

        ulong value = ParseDigits(text, radix, ref at, out bool isTooLarge, out bool hasDigits);
        rest = hasDigits ? text[at..] : text;
        return isTooLarge ? ulong.MaxValue : isNegative ? 0 - value : value;
    }

    /// <summary>The lower 32 bits of <see cref="ParseUnsigned(string, out string)"/>.</summary>
    internal static uint ParseUInt32(string text) => (uint)ParseUnsigned(text, out _);

    /// <summary>strtol(3) with base 10, as atoi(3) and atol(3) use it.</summary>
    /// <param name="rest">As of <see cref="ParseUnsigned(string, out string)"/>.</param>
    internal static long ParseDecimal(string text, out string rest)
    {
        int at = SkipSign(text, out bool isNegative);
        ulong value = ParseDigits(text, 10, ref at, out bool isTooLarge, out bool hasDigits);
        rest = hasDigits ? text[at..] : text;
        if (isTooLarge || value > long.MaxValue)
            return isNegative ? long.MinValue : long.MaxValue;
        return isNegative ? -(long)value : (long)value;
    }

    /// <inheritdoc cref="ParseDecimal(string, out string)"/>
    internal static long ParseDecimal(string text) => ParseDecimal(text, out _);

    private static int SkipSign(string text, out bool isNegative)
    {
        int at = 0;
        while (at < text.Length && text[at] is ' ' or (>= '\t' and <= '\r')) // isspace(3)
            at++;
        isNegative = at < text.Length && text[at] == '-';
        return at < text.Length && (text[at] is '-' or '+') ? at + 1 : at;
    }

    private static ulong ParseDigits(string text, uint radix, ref int at, out bool isTooLarge, out bool hasDigits)
    {
        ulong value = 0;
        (isTooLarge, hasDigits) = (false, false);
        for (; at < text.Length && Digit(text[at]) < radix; at++)
        {
            hasDigits = true;
            UInt128 next = ((UInt128)value * radix) + Digit(text[at]);
            isTooLarge |= next > ulong.MaxValue;
            value = (ulong)next;
        }

        return value;
    }

    private static uint Digit(char character) => char.IsAsciiDigit(character) ? (uint)(character - '0')
        : char.IsAsciiHexDigit(character) ? (uint)(char.ToLowerInvariant(character) - 'a' + 10)
        : uint.MaxValue;
}
