using System.Net.Sockets;
using ConntrackStream.EventTap.Netlink;
using static ConntrackStream.EventTap.Netlink.Libc;

namespace ConntrackStream.Sinks.Ipfix.Transport;

/// <summary>
/// Hands datagrams to the kernel, as many at once as it takes: those of one length in a row as one buffer that the kernel cuts
/// (UDP_SEGMENT, Linux 4.18), and what lies together like that as one vector (sendmmsg). Where a device or a path cannot be used so, each
/// datagram is in the vector by itself. Used by one thread at a time.
/// </summary>
/// <param name="socket">Connected.</param>
internal sealed unsafe class DatagramSender(SafeSocketHandle socket)
{
    private const int SolUdp = 17, UdpSegment = 103; // SOL_UDP, UDP_SEGMENT
    private const int MostCut = 64; // UDP_MAX_SEGMENTS of Linux before 6.8
    private const int MostBytes = 65_000; // IPv4's length is 16 bits, headers included
    private const int MostParts = 64; // of a vector

    /// <summary>Until the kernel refuses it.</summary>
    internal bool Cuts { get; private set; } = true;

    /// <summary>Sends all, in their order.</summary>
    /// <param name="datagrams">One behind the other.</param>
    /// <param name="lengths">Of each.</param>
    /// <param name="sent">Grows by what the kernel has taken, also where an exception follows.</param>
    /// <exception cref="NetlinkException">The kernel does not take the next one.</exception>
    internal void Send(ReadOnlySpan<byte> datagrams, ReadOnlySpan<int> lengths, ref int sent)
    {
        bool isOneByOne = false;
        fixed (byte* begin = datagrams)
        {
            byte* next = begin;
            while (!lengths.IsEmpty)
            {
                ReadOnlySpan<int> asked = isOneByOne ? lengths[..1] : lengths;
                int taken = SendSome(next, asked, out bool isWhole);
                isOneByOne |= !isWhole; // the call that follows shows the error that this one kept to itself, or that it was none
                foreach (int length in lengths[..taken])
                    next += length;
                lengths = lengths[taken..];
                sent += taken;
            }
        }
    }

    /// <returns>Datagrams that the kernel has taken, at least one.</returns>
    private int SendSome(byte* next, ReadOnlySpan<int> lengths, out bool isWhole)
    {
        Mmsghdr* vector = stackalloc Mmsghdr[MostParts];
        Iovec* buffers = stackalloc Iovec[MostParts];
        Sinks.Libc.SegmentControl* controls = stackalloc Sinks.Libc.SegmentControl[MostParts];
        Span<int> counts = stackalloc int[MostParts];
        while (true)
        {
            int parts = 0;
            byte* at = next;
            for (ReadOnlySpan<int> rest = lengths; !rest.IsEmpty && parts < MostParts; rest = rest[counts[parts++]..])
            {
                counts[parts] = CountOf(rest, out int bytes);
                buffers[parts] = new Iovec { Base = at, Length = (nuint)bytes };
                vector[parts].Header = new Msghdr { Iov = buffers + parts, IovLength = 1 };
                if (counts[parts] > 1)
                    Cut(ref vector[parts].Header, controls + parts, rest[0]);
                at += bytes;
            }

            int taken = Sinks.Libc.sendmmsg(socket, vector, (uint)parts, 0);
            isWhole = taken == parts;
            if (taken > 0)
                return Sum(counts[..taken]);
            if (!MayTryAgain(LastErrno, isCut: counts[0] > 1))
                throw new NetlinkException("sendmmsg", LastErrno);
        }
    }

    /// <summary>How many datagrams may be one buffer: all have the length of the first, but the last may be shorter.</summary>
    private int CountOf(ReadOnlySpan<int> lengths, out int bytes)
    {
        int first = lengths[0], count = 1;
        bytes = first;
        while (Cuts && count < Math.Min(lengths.Length, MostCut) && lengths[count - 1] == first && lengths[count] <= first
            && bytes + lengths[count] <= MostBytes)
        {
            bytes += lengths[count++];
        }

        return count;
    }

    private static void Cut(ref Msghdr header, Sinks.Libc.SegmentControl* control, int length)
    {
        control->Length = (nuint)(sizeof(Sinks.Libc.SegmentControl) - sizeof(ulong) + sizeof(ushort)); // CMSG_LEN
        control->Level = SolUdp;
        control->Type = UdpSegment;
        *(ushort*)&control->Segment = (ushort)length;
        header.Control = control;
        header.ControlLength = (nuint)sizeof(Sinks.Libc.SegmentControl);
    }

    /// <summary>
    /// Cutting may not be possible with this device (EIO), this path (EINVAL, EMSGSIZE: a datagram would be fragmented) or this socket.
    /// </summary>
    private bool MayTryAgain(Errno errno, bool isCut)
    {
        if (errno == Errno.EINTR)
            return true;
        if (!isCut || errno is not (Errno.EIO or Errno.EINVAL or Errno.EMSGSIZE or Errno.EOPNOTSUPP))
            return false;
        Cuts = false;
        return true;
    }

    private static int Sum(ReadOnlySpan<int> counts)
    {
        int sum = 0;
        foreach (int count in counts)
            sum += count;
        return sum;
    }
}
