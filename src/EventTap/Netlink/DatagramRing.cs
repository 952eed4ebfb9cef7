using Microsoft.Win32.SafeHandles;
using static ConntrackStream.EventTap.Netlink.Libc;

namespace ConntrackStream.EventTap.Netlink;

/// <summary>Reused buffers for receiving many datagrams with one recvmmsg(2). Used by one thread.</summary>
internal sealed unsafe class DatagramRing
{
    internal const int Slots = 64;

    // A ctnetlink event is 150 to 700 bytes, or up to a page with a long security context: the kernel allocates its messages by the page.
    private const int SlotBytes = 4096;

    // One cache line more than a page: at a distance of 4096 all slots would share the same few sets of the first-level cache.
    private const int SlotStride = SlotBytes + 64;

    private readonly byte[] _buffers = GC.AllocateUninitializedArray<byte>(Slots * SlotStride, pinned: true);
    private readonly Mmsghdr[] _headers = GC.AllocateArray<Mmsghdr>(Slots, pinned: true);
    private readonly Iovec[] _vectors = GC.AllocateArray<Iovec>(Slots, pinned: true);
    private readonly SockaddrNl[] _senders = GC.AllocateArray<SockaddrNl>(Slots, pinned: true);

    internal DatagramRing()
    {
        fixed (byte* buffers = _buffers)
        fixed (Iovec* vectors = _vectors)
        fixed (SockaddrNl* senders = _senders)
        {
            for (int i = 0; i < Slots; i++)
            {
                _vectors[i] = new Iovec { Base = buffers + (i * SlotStride), Length = SlotBytes };
                _headers[i].Header = new Msghdr { Name = senders + i, Iov = vectors + i, IovLength = 1 };
            }
        }
    }

    /// <summary>Takes what is queued, up to <see cref="Slots"/> datagrams, without waiting.</summary>
    /// <returns>How many; fewer than <see cref="Slots"/> says that the queue was empty at the end. Or
    /// minus the errno (EAGAIN: none).</returns>
    internal int Receive(SafeFileHandle socket)
    {
        foreach (ref Mmsghdr header in _headers.AsSpan())
            header.Header.NameLength = (uint)sizeof(SockaddrNl); // the kernel overwrites it
        fixed (Mmsghdr* headers = _headers)
        {
            while (true)
            {
                int count = recvmmsg(socket, headers, Slots, MSG_DONTWAIT, null);
                if (count >= 0)
                    return count;
                if (LastErrno != Errno.EINTR)
                    return -(int)LastErrno;
            }
        }
    }

    /// <summary>The datagram in a slot, valid until the next <see cref="Receive"/>.</summary>
    internal ReadOnlySpan<byte> this[int slot] => _buffers.AsSpan(slot * SlotStride, (int)Math.Min(_headers[slot].Length, SlotBytes));

    /// <summary>It was longer than its slot; the rest is gone.</summary>
    internal bool IsTruncated(int slot) => (_headers[slot].Header.Flags & MSG_TRUNC) != 0;

    /// <summary>The sender's port id (nl_pid); 0 is the kernel.</summary>
    internal uint Sender(int slot) => _senders[slot].PortId;
}
