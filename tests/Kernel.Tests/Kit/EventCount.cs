using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ConntrackStream.Kernel.Tests.Kit;

/// <summary>
/// Counts the namespace's events from its construction on, independently of the code under test. The kernel queues an event before the call
/// that caused it returns, and the buffer takes over a million, so nothing has to read beside the test:
/// <see cref="Read"/> empties the queue.
/// </summary>
public sealed class EventCount : IDisposable
{
    private const int BufferBytes = 0x3fffffff; // the most SO_RCVBUFFORCE takes; doubled by the kernel, 1280 an event
    private const ushort ConntrackNew = 0x100; // NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW
    private const ushort ConntrackDelete = 0x102; // IPCTNL_MSG_CT_DELETE
    private const ushort CreateExclusive = 0x600; // NLM_F_CREATE | NLM_F_EXCL: a NEW; without them an UPDATE

    private readonly SafeFileHandle _fd;
    private readonly byte[] _buffer = new byte[65536];

    public EventCount(KernelNamespace space)
    {
        _fd = EventSocket.Open(space);
        KitLibc.SetOption(_fd, KitLibc.SOL_SOCKET, KitLibc.SO_RCVBUFFORCE, BufferBytes);
        KitLibc.SetOption(_fd, KitLibc.SOL_NETLINK, KitLibc.NETLINK_NO_ENOBUFS, 1);
        EventSocket.Join(_fd);
    }

    /// <summary>As of the last <see cref="Read"/>.</summary>
    public int New { get; private set; }

    /// <inheritdoc cref="New"/>
    public int Update { get; private set; }

    /// <inheritdoc cref="New"/>
    public int Destroy { get; private set; }

    /// <summary>
    /// Counts what has been queued since. Fails the test if the kernel had to refuse an event: the counts would be no oracle.
    /// </summary>
    public EventCount Read()
    {
        for (int length = Receive(); length > 0; length = Receive())
            Count(_buffer.AsSpan(0, length));
        Assert.Equal(0u, EventSocket.Drops(_fd));
        return this;
    }

    public override string ToString() => $"{New} NEW, {Update} UPDATE, {Destroy} DESTROY";

    public void Dispose() => _fd.Dispose();

    private unsafe int Receive()
    {
        fixed (byte* buffer = _buffer)
        {
            int length = KitLibc.recv(_fd, buffer, (nuint)_buffer.Length, KitLibc.MSG_DONTWAIT);
            return length < 0 && Marshal.GetLastPInvokeError() == KitLibc.EAGAIN ? 0 : KitLibc.Check(length, "recv");
        }
    }

    private void Count(ReadOnlySpan<byte> datagram)
    {
        while (datagram.Length >= 16) // struct nlmsghdr: length, type, flags, …
        {
            int length = (int)BinaryPrimitives.ReadUInt32LittleEndian(datagram);
            bool created = (BinaryPrimitives.ReadUInt16LittleEndian(datagram[6..]) & CreateExclusive) != 0;
            switch (BinaryPrimitives.ReadUInt16LittleEndian(datagram[4..]))
            {
                case ConntrackNew when created: New++; break;
                case ConntrackNew: Update++; break;
                case ConntrackDelete: Destroy++; break;
            }

            datagram = datagram[Math.Min(datagram.Length, (length + 3) & ~3)..];
        }
    }
}
