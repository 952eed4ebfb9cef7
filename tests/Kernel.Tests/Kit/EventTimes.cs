using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ConntrackStream.Kernel.Tests.Kit;

/// <summary>A NEW or DESTROY as the kernel reported it.</summary>
/// <param name="Id">CTA_ID.</param>
/// <param name="Time">CTA_TIMESTAMP_EVENT, ns since the Unix epoch; 0 where the kernel gives none (before Linux 6.14, or with
/// nf_conntrack_timestamp off).</param>
public readonly record struct TimedEvent(bool IsNew, uint Id, long Time);

/// <summary>
/// Every NEW and DESTROY of the namespace from its construction on with the kernel's own time, read independently of the code under test.
/// The socket's buffer takes over a million, so nothing has to read beside the test.
/// </summary>
public sealed class EventTimes : IDisposable
{
    private const int BufferBytes = 0x3fffffff; // the most SO_RCVBUFFORCE takes; doubled by the kernel, 1280 an event
    private const int HeaderBytes = 20; // struct nlmsghdr, struct nfgenmsg
    private const ushort ConntrackNew = 0x100; // NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW
    private const ushort ConntrackDelete = 0x102; // IPCTNL_MSG_CT_DELETE
    private const ushort CreateExclusive = 0x600; // NLM_F_CREATE | NLM_F_EXCL: a NEW; without them an UPDATE
    private const int Id = 12; // CTA_ID
    private const int TimestampEvent = 27; // CTA_TIMESTAMP_EVENT

    private readonly SafeFileHandle _fd;
    private readonly byte[] _buffer = new byte[65536];

    public EventTimes(KernelNamespace space)
    {
        _fd = EventSocket.Open(space);
        KitLibc.SetOption(_fd, KitLibc.SOL_SOCKET, KitLibc.SO_RCVBUFFORCE, BufferBytes);
        KitLibc.SetOption(_fd, KitLibc.SOL_NETLINK, KitLibc.NETLINK_NO_ENOBUFS, 1);
        EventSocket.Join(_fd);
    }

    /// <summary>What has been queued since. Fails the test if the kernel had to refuse an event: this would be no oracle.</summary>
    public List<TimedEvent> Read()
    {
        List<TimedEvent> events = [];
        for (int length = Receive(); length > 0; length = Receive())
            Add(events, _buffer.AsSpan(0, length));
        Assert.Equal(0u, EventSocket.Drops(_fd));
        return events;
    }

    public void Dispose() => _fd.Dispose();

    private unsafe int Receive()
    {
        fixed (byte* buffer = _buffer)
        {
            int length = KitLibc.recv(_fd, buffer, (nuint)_buffer.Length, KitLibc.MSG_DONTWAIT);
            return length < 0 && Marshal.GetLastPInvokeError() == KitLibc.EAGAIN ? 0 : KitLibc.Check(length, "recv");
        }
    }

    private static void Add(List<TimedEvent> events, ReadOnlySpan<byte> datagram)
    {
        while (datagram.Length >= HeaderBytes)
        {
            int length = (int)BinaryPrimitives.ReadUInt32LittleEndian(datagram);
            int type = BinaryPrimitives.ReadUInt16LittleEndian(datagram[4..]);
            bool isCreation = (BinaryPrimitives.ReadUInt16LittleEndian(datagram[6..]) & CreateExclusive) != 0;
            if (type == ConntrackDelete || (type == ConntrackNew && isCreation))
                events.Add(Parse(type == ConntrackNew, datagram[HeaderBytes..length]));
            datagram = datagram[Math.Min(datagram.Length, (length + 3) & ~3)..];
        }
    }

    private static TimedEvent Parse(bool isNew, ReadOnlySpan<byte> attributes)
    {
        TimedEvent read = new(isNew, Id: 0, Time: 0);
        while (attributes.Length >= 4) // struct nlattr: length, type
        {
            int length = BinaryPrimitives.ReadUInt16LittleEndian(attributes);
            ReadOnlySpan<byte> payload = attributes[4..length];
            read = (BinaryPrimitives.ReadUInt16LittleEndian(attributes[2..]) & 0x3fff) switch // NLA_TYPE_MASK
            {
                Id => read with { Id = BinaryPrimitives.ReadUInt32BigEndian(payload) },
                TimestampEvent => read with { Time = BinaryPrimitives.ReadInt64BigEndian(payload) },
                _ => read,
            };
            attributes = attributes[Math.Min(attributes.Length, (length + 3) & ~3)..];
        }

        return read;
    }
}
