using System.Globalization;
using ConntrackStream.EventTap.Netlink;

namespace ConntrackStream.Sinks.Text;

/// <summary>
/// Finds the program that owns a netfilter netlink socket of a network namespace, by what /proc shows at the moment: a program that has
/// already closed it, or that this user may not look into, is not found. Meant for
/// <see cref="ConntrackTextOptions.ProgramName"/>. Not thread-safe.
/// </summary>
public sealed class NetlinkPrograms(NetworkNamespace space, TimeProvider time)
{
    private const int NETLINK_NETFILTER = 12;

    private static readonly TimeSpan Remembered = TimeSpan.FromSeconds(1); // one flush causes many events in a row

    private uint _lastPortId;
    private string? _lastName;
    private long _lastAsked;

    /// <summary>The program's name (comm, at most 15 bytes); null when it cannot be found.</summary>
    public string? NameOf(uint portId)
    {
        if (portId == _lastPortId && _lastAsked != 0 && time.GetElapsedTime(_lastAsked) < Remembered)
            return _lastName;
        _lastName = Inode(portId) is { } inode ? Owner(portId, $"socket:[{inode}]") : null;
        _lastPortId = portId;
        _lastAsked = time.GetTimestamp();
        return _lastName;
    }

    /// <summary>From /proc/net/netlink, whose columns are: sk, Eth (the protocol), Pid (the port id), …, Inode.</summary>
    private string? Inode(uint portId)
    {
        string protocol = NETLINK_NETFILTER.ToString(CultureInfo.InvariantCulture);
        string port = portId.ToString(CultureInfo.InvariantCulture);
        foreach (string line in space.Run(() => File.ReadAllLines("/proc/thread-self/net/netlink")))
        {
            string[] columns = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (columns.Length > 3
                && string.Equals(columns[1], protocol, StringComparison.Ordinal)
                && string.Equals(columns[2], port, StringComparison.Ordinal))
                return columns[^1];
        }

        return null;
    }

    /// <summary>A process's first netlink socket has its process id for a port id: asked first, then all.</summary>
    private static string? Owner(uint portId, string socket)
    {
        string likely = string.Create(CultureInfo.InvariantCulture, $"/proc/{portId}");
        if (Owns(likely, socket))
            return Name(likely);
        foreach (string process in Directory.EnumerateDirectories("/proc"))
        {
            if (char.IsAsciiDigit(process["/proc/".Length]) && Owns(process, socket))
                return Name(process);
        }

        return null;
    }

    private static bool Owns(string process, string socket)
    {
        try
        {
            return Directory.EnumerateFiles($"{process}/fd")
                .Any(file => string.Equals(new FileInfo(file).LinkTarget, socket, StringComparison.Ordinal));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException) // it has ended, or is another user's
        {
            return false;
        }
    }

    private static string? Name(string process)
    {
        try
        {
            return File.ReadAllText($"{process}/comm").TrimEnd('\n');
        }
        catch (IOException) // it has ended in between
        {
            return null;
        }
    }
}
