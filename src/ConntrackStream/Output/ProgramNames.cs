using System.Globalization;

namespace ConntrackStream.Service.Output;

/// <summary>
/// The program behind a netlink port id, as <c>conntrack -E</c> finds it: /proc/net/netlink tells the socket's inode, a link in /proc/PID/fd its
/// owner. A program's first socket has its process id as port id, so that one is tried first. Not thread-safe.
/// </summary>
/// <param name="inNamespace">Reads a file in the network namespace that is listened to.</param>
internal sealed class ProgramNames(Func<Func<string[]>, string[]> inNamespace)
{
    private const int NetlinkNetfilter = 12; // NETLINK_NETFILTER

    internal string? Find(uint portId)
    {
        try
        {
            return InodeOf(portId) is { } inode ? NameOf($"socket:[{inode}]", portId) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null; // it has ended meanwhile
        }
    }

    // sk Eth Pid Groups Rmem Wmem Dump Locks Drops Inode
    private string? InodeOf(uint portId) => inNamespace(static () => File.ReadAllLines("/proc/thread-self/net/netlink"))
        .Skip(1)
        .Select(static line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        .FirstOrDefault(columns => columns is [_, var protocol, var port, _, _, _, _, _, _, _, ..]
            && protocol == NetlinkNetfilter.ToString(CultureInfo.InvariantCulture) && port == portId.ToString(CultureInfo.InvariantCulture))?[9];

    private static string? NameOf(string link, uint firstGuess)
    {
        IEnumerable<string> processes = Directory.EnumerateDirectories("/proc")
            .Where(static path => path.AsSpan("/proc/".Length).IndexOfAnyExceptInRange('0', '9') < 0)
            .Prepend($"/proc/{firstGuess}");
        foreach (string process in processes)
        {
            if (Holds(process, link))
                return File.ReadAllText($"{process}/comm").TrimEnd('\n');
        }

        return null;
    }

    private static bool Holds(string process, string link)
    {
        try
        {
            return Directory.EnumerateFileSystemEntries($"{process}/fd").Any(file => new FileInfo(file).LinkTarget == link);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
