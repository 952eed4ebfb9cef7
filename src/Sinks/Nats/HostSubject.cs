using System.Text;
using ConntrackStream.Pipeline.Checkpoint;
using ConntrackStream.Sinks.Fleet;

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
        return $"{prefix}.{Digits[(int)share >> 4]}.{Digits[(int)share & 0xF]}.{HostToken.Of(host)}";
    }

    /// <summary>The host of a subject; null when it has none.</summary>
    internal static string? HostOf(string subject) => HostToken.HostOf(subject.AsSpan(subject.LastIndexOf('.') + 1));

    /// <summary>What is wrong with the beginning of all subjects; null when nothing is.</summary>
    internal static string? ProblemOfPrefix(string prefix) => prefix.Length is > 0 and <= 128 && prefix.Split('.').All(HostToken.IsPlain)
        ? null
        : "must be one to 128 letters, digits, - or _, with single dots between";
}
