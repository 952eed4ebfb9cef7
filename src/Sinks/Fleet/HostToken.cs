using System.Globalization;
using System.Text;

namespace ConntrackStream.Sinks.Fleet;

/// <summary>
/// A host's name as one word, for ids, subjects and file names: what is not a letter, digit, - or _ is written =XX, its bytes in UTF-8.
/// </summary>
internal static class HostToken
{
    internal static string Of(string host)
    {
        StringBuilder token = new(host.Length);
        foreach (byte value in Encoding.UTF8.GetBytes(host))
        {
            if (IsPlain((char)value))
                token.Append((char)value);
            else
                token.Append(CultureInfo.InvariantCulture, $"={value:X2}");
        }

        return token.ToString();
    }

    /// <summary>The host of a token; null when it is none.</summary>
    internal static string? HostOf(ReadOnlySpan<char> token)
    {
        List<byte> host = [];
        for (int at = 0; at < token.Length; at++)
        {
            if (token[at] != '=')
                host.Add((byte)token[at]);
            else if (at + 2 < token.Length
                && byte.TryParse(token[(at + 1)..(at + 3)], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out byte value))
                (_, at) = (Add(host, value), at + 2);
            else
                return null;
        }

        return host.Count == 0 ? null : Encoding.UTF8.GetString([.. host]);
    }

    /// <summary>It has only letters, digits, - and _.</summary>
    internal static bool IsPlain(string text) => text.Length > 0 && text.All(IsPlain);

    private static bool IsPlain(char character) => char.IsAsciiLetterOrDigit(character) || character is '-' or '_';

    private static bool Add(List<byte> host, byte value)
    {
        host.Add(value);
        return true;
    }
}
