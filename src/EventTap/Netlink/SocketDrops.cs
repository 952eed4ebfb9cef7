namespace ConntrackStream.EventTap.Netlink;

/// <summary>The exact count of messages the kernel could not queue on a socket (sk_drops, read by SO_MEMINFO).</summary>
public sealed class SocketDrops(NetlinkSocket socket)
{
    private uint _seen;

    /// <summary>Receive memory that was in use at the last call, in bytes.</summary>
    public uint QueuedBytes { get; private set; }

    /// <summary>Drops since the last call.</summary>
    /// <exception cref="NetlinkException">The socket is broken.</exception>
    public uint ReadIncrease()
    {
        SocketMemory memory = SocketMemory.Of(socket);
        uint increase = unchecked(memory.Drops - _seen); // the kernel's counter wraps too
        _seen = memory.Drops;
        QueuedBytes = memory.QueuedBytes;
        return increase;
    }
}
