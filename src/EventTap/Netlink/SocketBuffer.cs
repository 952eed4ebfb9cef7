using System.Globalization;
using static ConntrackStream.EventTap.Netlink.Libc;

namespace ConntrackStream.EventTap.Netlink;

/// <summary>The receive buffer of an event socket: its default size and how it is set.</summary>
public static class SocketBuffer
{
    /// <summary>Receive memory one queued conntrack event costs, measured: its socket buffer's truesize.</summary>
    public const int BytesPerEvent = 1280;

    // nf_conntrack_max where memory is plentiful: for when it cannot be read, or is 0, no limit
    private const int FallbackTableSize = 262144;
    private const string TableSizePath = "/proc/sys/net/netfilter/nf_conntrack_max";

    /// <summary>
    /// Room for a flush of the whole table, at most 1/16 of the memory this process may use (a control group's limit counts).
    /// </summary>
    public static long DefaultBytes()
    {
        long wanted = ReadTableSize() * BytesPerEvent;
        return Math.Min(wanted, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 16);
    }

    /// <summary>Sets it, past net.core.rmem_max if the privileges allow.</summary>
    /// <param name="bytes">As the kernel counts, which doubles what it is asked for; at most 2 GiB.</param>
    /// <param name="forced">False: CAP_NET_ADMIN is missing and net.core.rmem_max limits it.</param>
    /// <returns>The size the kernel granted, in the same unit.</returns>
    public static int Set(NetlinkSocket socket, long bytes, out bool forced)
    {
        int half = (int)Math.Clamp(bytes / 2, 1, int.MaxValue / 2);
        forced = true;
        try
        {
            socket.SetOption(SOL_SOCKET, SO_RCVBUFFORCE, half, nameof(SO_RCVBUFFORCE));
        }
        catch (NetlinkException e) when (e.Errno is Errno.EPERM)
        {
            forced = false;
            socket.SetOption(SOL_SOCKET, SO_RCVBUF, half, nameof(SO_RCVBUF));
        }

        return socket.GetOption(SOL_SOCKET, SO_RCVBUF, nameof(SO_RCVBUF));
    }

    private static long ReadTableSize()
    {
        try
        {
            long size = long.Parse(File.ReadAllText(TableSizePath), NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture);
            return size > 0 ? size : FallbackTableSize;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
        {
            return FallbackTableSize;
        }
    }
}
