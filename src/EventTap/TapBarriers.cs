using System.Buffers.Binary;
using ConntrackStream.EventTap.Netlink;

namespace ConntrackStream.EventTap;

/// <summary>
/// Markers a socket sends to itself: the kernel queues one behind every event it has delivered so far, so its arrival proves that those
/// have been read. <see cref="Request"/> from any thread, the rest on the reader's.
/// </summary>
internal sealed class TapBarriers(NetlinkSocket socket, WakeEvent wake)
{
    internal const int MaxPending = 256;

    private const int Length = 32; // struct nlmsghdr, magic, token
    private const ulong Magic = 0x4353_4241_5252_4945; // "CSBARRIE"

    private readonly Lock _gate = new();
    private readonly Queue<long> _pending = new();
    private readonly byte[] _message = new byte[Length];
    private bool _closed;

    /// <summary>Asks for a marker.</summary>
    /// <returns>False when the socket is closing or too many are waiting: ask again later.</returns>
    internal bool Request(long token)
    {
        lock (_gate)
        {
            if (_closed || _pending.Count == MaxPending)
                return false;
            _pending.Enqueue(token);
            wake.Set();
            return true;
        }
    }

    /// <summary>Wakes the reader, unless it has ended.</summary>
    internal void Wake()
    {
        lock (_gate)
        {
            if (!_closed)
                wake.Set();
        }
    }

    /// <summary>Refuses further requests. Those waiting are forgotten: their asker learns of it by Disconnected.</summary>
    internal void Close()
    {
        lock (_gate)
        {
            _closed = true;
            _pending.Clear();
        }
    }

    /// <summary>Sends what was asked for, as far as the queue has room; the rest waits for the next call.</summary>
    /// <returns>False when something waits for room in the queue.</returns>
    internal bool SendPending()
    {
        while (TryPeek(out long token))
        {
            Errno errno = Send(token);
            if (errno is Errno.EAGAIN or Errno.ENOBUFS)
                return false;
            if (errno != Errno.None)
                throw new NetlinkException("sending a barrier to the event socket itself", errno);
            lock (_gate)
                _pending.TryDequeue(out _);
        }

        return true;
    }

    /// <summary>The token of a marker of ours.</summary>
    internal bool TryRead(ReadOnlySpan<byte> message, uint sender, out long token)
    {
        token = 0;
        if (sender != socket.PortId || message.Length != Length || BinaryPrimitives.ReadUInt64BigEndian(message[16..]) != Magic)
            return false;
        token = BinaryPrimitives.ReadInt64BigEndian(message[24..]);
        return true;
    }

    private bool TryPeek(out long token)
    {
        lock (_gate)
            return _pending.TryPeek(out token);
    }

    private Errno Send(long token)
    {
        Span<byte> message = _message;
        BitConverter.TryWriteBytes(message, Length); // nlmsg_len
        BitConverter.TryWriteBytes(message[4..], Nlmsg.NLMSG_NOOP); // nlmsg_type: no subsystem's, so a kernel filter lets it pass
        BinaryPrimitives.WriteUInt64BigEndian(message[16..], Magic);
        BinaryPrimitives.WriteInt64BigEndian(message[24..], token);
        return socket.Send(message, socket.PortId, wait: false);
    }
}
