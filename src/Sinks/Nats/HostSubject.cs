using System.Globalization;
using System.Text;
using ConntrackStream.Pipeline.Checkpoint;
using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Sinks.Nats;

/// <summary>
/// The subject of a host's messages, <c>PREFIX.h.h.HOST</c>: the two hexadecimal digits spread the hosts over 256 shares, by which streams
/// and collectors divide them.
/// </summary>
internal static class HostSubject
{
    private const string Digits = "0123456789abcdef";

    internal static string Of(string prefix, string host)
    {
        uint share = Crc32C.Append(0, Encoding.UTF8.GetBytes(host)) & 0xFF;
        return $"{prefix}.{Digits[(int)share >> 4]}.{Digits[(int)share & 0xF]}.{Token(host)}";
    }

    /// <summary>The host of a subject; null when it has none.</summary>
    internal static string? HostOf(string subject)
    {
        List<byte> host = [];
        for (int at = subject.LastIndexOf('.') + 1; at < subject.Length; at++)
        {
            if (subject[at] != '=')
                host.Add((byte)subject[at]);
            else if (at + 2 < subject.Length
                && byte.TryParse(subject.AsSpan(at + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out byte value))
                (_, at) = (Add(host, value), at + 2);
            else
                return null;
        }

        return host.Count == 0 ? null : Encoding.UTF8.GetString([.. host]);
    }

    /// <summary>One token of a subject, for any name: what is not a letter, digit, - or _ is written =XX, its bytes in UTF-8.</summary>
    internal static string Token(string host)
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

    /// <summary>What is wrong with the beginning of all subjects; null when nothing is.</summary>
    internal static string? ProblemOfPrefix(string prefix) => prefix.Length is > 0 and <= 128 && prefix.Split('.').All(IsToken)
        ? null
        : "must be one to 128 letters, digits, - or _, with single dots between";

    internal static bool IsToken(string text) => text.Length > 0 && text.All(IsPlain);

    private static bool IsPlain(char character) => char.IsAsciiLetterOrDigit(character) || character is '-' or '_';

    private static bool Add(List<byte> host, byte value)
    {
        host.Add(value);
        return true;
    }
}
