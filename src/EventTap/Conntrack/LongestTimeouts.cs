using System.Globalization;
using ConntrackStream.EventTap.Model;

namespace ConntrackStream.EventTap.Conntrack;

/// <summary>
/// For how long the kernel keeps an entry of a protocol without a packet at most: the longest of the protocol's timeouts in
/// /proc/sys/net/netfilter. Timeout policies (the CT target) can give single flows more. Immutable.
/// </summary>
public sealed class LongestTimeouts
{
    /// <summary>Where the kernel does not say: nf_conntrack_tcp_timeout_established as it is by default, the longest of all.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromDays(5);

    private const string Directory = "/proc/sys/net/netfilter";
    private const string Prefix = "nf_conntrack_";
    private const string Word = "_timeout";

    private readonly Dictionary<string, long> _seconds = new(StringComparer.Ordinal);

    private LongestTimeouts()
    {
    }

    /// <summary>Of a kernel that says nothing.</summary>
    public static LongestTimeouts Unknown { get; } = new();

    /// <summary>Of the calling thread's network namespace. What cannot be read counts as <see cref="Longest"/>.</summary>
    public static LongestTimeouts Read() => Read(Directory);

    internal static LongestTimeouts Read(string directory)
    {
        LongestTimeouts timeouts = new();
        try
        {
            foreach (string path in System.IO.Directory.EnumerateFiles(directory, $"{Prefix}*{Word}*"))
                timeouts.Add(Path.GetFileName(path)[Prefix.Length..], File.ReadAllText(path));
            return timeouts;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Unknown;
        }
    }

    /// <summary>The longest timeout of a protocol; the generic one where the kernel has none for it.</summary>
    public TimeSpan Of(IpProtocol protocol) =>
        _seconds.TryGetValue((protocol == IpProtocol.UdpLite ? IpProtocol.Udp : protocol).Name(), out long seconds)
        || _seconds.TryGetValue("generic", out seconds)
            ? TimeSpan.FromSeconds(seconds)
            : Longest;

    /// <param name="name">Such as <c>tcp_timeout_established</c>.</param>
    private void Add(string name, string text)
    {
        string protocol = name[..name.IndexOf(Word, StringComparison.Ordinal)];
        if (long.TryParse(text, NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out long seconds)
            && seconds is >= 0 and <= int.MaxValue)
            _seconds[protocol] = Math.Max(seconds, _seconds.GetValueOrDefault(protocol));
        else
            _seconds[protocol] = (long)Longest.TotalSeconds;
    }
}
