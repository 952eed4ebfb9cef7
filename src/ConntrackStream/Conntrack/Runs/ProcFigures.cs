using System.Globalization;
using System.Text;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Service.Conntrack.Syntax;

namespace ConntrackStream.Service.Conntrack.Runs;

/// <summary>The kernel's own files, which conntrack shows where its requests are refused (no CAP_NET_ADMIN), although it fails.</summary>
internal static class ProcFigures
{
    private const string CountFile = "/proc/sys/net/netfilter/nf_conntrack_count";
    private const string StatsFile = "/proc/thread-self/net/stat/nf_conntrack"; // names, then a line of hexadecimal numbers for each CPU

    /// <exception cref="ConntrackFault">The file cannot be read.</exception>
    internal static string Count(NetworkNamespace space) => Read(space, CountFile, $"Can't open {CountFile}").Trim() + "\n";

    /// <inheritdoc cref="Count"/>
    internal static string Stats(NetworkNamespace space)
    {
        string[] lines = Read(space, StatsFile, "Can't open /proc interface").Split('\n', StringSplitOptions.RemoveEmptyEntries);
        string[] names = Words(lines[0]);
        StringBuilder text = new();
        for (int cpu = 0; cpu < lines.Length - 1; cpu++)
        {
            text.Append(CultureInfo.InvariantCulture, $"cpu={cpu,-4}\t");
            foreach ((string name, string value) in names.Zip(Words(lines[cpu + 1])))
            {
                uint number = uint.Parse(value, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
                text.Append(CultureInfo.InvariantCulture, $"{name}={number} ");
            }

            text.Append('\n');
        }

        return text.ToString();
    }

    private static string[] Words(string line) => line.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    private static string Read(NetworkNamespace space, string file, string fault)
    {
        try
        {
            return space.Run(() => File.ReadAllText(file));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ConntrackFault(ConntrackFault.Other, fault);
        }
    }
}
