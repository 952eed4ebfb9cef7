using System.Runtime.InteropServices;
using ConntrackStream.EventTap.Netlink;
using static ConntrackStream.EventTap.Netlink.Libc;

namespace ConntrackStream.Sinks.Files;

/// <summary>What the framework does not say of a connected socket.</summary>
internal static unsafe class SocketState
{
    /// <summary>
    /// The peer takes nothing more, or the connection is closed here. A peer that has only ended its own side still takes: poll(2) then
    /// reports POLLRDHUP, but not POLLHUP. Over TCP a peer that has closed looks the same until it refuses what is sent to it.
    /// </summary>
    internal static bool IsGone(SafeHandle socket)
    {
        bool held = false;
        try
        {
            socket.DangerousAddRef(ref held);
            Pollfd asked = new() { Fd = (int)socket.DangerousGetHandle() }; // POLLHUP and POLLERR need not be asked for
            return poll(&asked, 1, 0) > 0;
        }
        catch (ObjectDisposedException)
        {
            return true;
        }
        finally
        {
            if (held)
                socket.DangerousRelease();
        }
    }
}
