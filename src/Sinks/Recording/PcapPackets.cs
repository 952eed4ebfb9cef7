using System.Buffers.Binary;
using ConntrackStream.EventTap.Netlink;

namespace ConntrackStream.Sinks.Recording;

/// <summary>
/// The datagrams of a capture, out of one buffer. Every length is checked before it is used: a file from anywhere can do no worse than end
/// the reading. Not thread-safe.
/// </summary>
internal sealed class PcapPackets(Stream stream)
{
    private readonly byte[] _buffer = new byte[PcapFormat.PacketHeaderLength + PcapFormat.MostBytes];
    private bool _isNanoseconds;

    /// <summary>Packets read so far.</summary>
    internal long Count { get; private set; }

    /// <summary>What ended the reading before the end of the file; null: nothing.</summary>
    internal string? Problem { get; private set; }

    /// <summary>When the current packet was captured, ns since the Unix epoch.</summary>
    internal long Time { get; private set; }

    /// <summary>Bytes read so far.</summary>
    internal long Bytes { get; private set; }

    /// <summary>The current packet's netlink messages; empty for one of another protocol, or one that was cut off.</summary>
    internal ReadOnlyMemory<byte> Datagram { get; private set; }

    /// <summary>The current packet was longer than what was captured, or has no cooked header of netlink.</summary>
    internal bool IsBad { get; private set; }

    /// <summary>Whether a file's first four bytes are those of a capture.</summary>
    internal static bool IsCapture(ReadOnlySpan<byte> begin) => begin.Length >= 4 && BinaryPrimitives.ReadUInt32LittleEndian(begin) is
        PcapFormat.MagicNanoseconds or PcapFormat.MagicMicroseconds or PcapFormat.SwappedNanoseconds or PcapFormat.SwappedMicroseconds;

    /// <summary>Reads the file's header.</summary>
    /// <returns>False: it is no capture of netlink; see <see cref="Problem"/>.</returns>
    internal async ValueTask<bool> TryBeginAsync(CancellationToken cancellation)
    {
        int read = await FillAsync(PcapFormat.FileHeaderLength, cancellation).ConfigureAwait(false);
        ReadOnlySpan<byte> header = _buffer.AsSpan(0, read);
        if (read < PcapFormat.FileHeaderLength || !IsCapture(header))
            return Fail("it is no pcap file");
        uint magic = BinaryPrimitives.ReadUInt32LittleEndian(header);
        if (magic is PcapFormat.SwappedNanoseconds or PcapFormat.SwappedMicroseconds)
            return Fail("it was recorded on a machine of the other byte order");
        _isNanoseconds = magic == PcapFormat.MagicNanoseconds;
        uint linktype = BinaryPrimitives.ReadUInt32LittleEndian(header[20..]) & 0xFFFF; // above: FCS and reserved bits
        return linktype == PcapFormat.Linktype
            || Fail(FormattableString.Invariant($"its link type is {linktype}, not {PcapFormat.Linktype} (LINKTYPE_NETLINK)"));
    }

    /// <summary>Goes on to the next packet; false at the end, or at a fault: see <see cref="Problem"/>.</summary>
    internal async ValueTask<bool> NextAsync(CancellationToken cancellation)
    {
        if (Problem is not null)
            return false;
        int read = await FillAsync(PcapFormat.PacketHeaderLength, cancellation).ConfigureAwait(false);
        if (read == 0)
            return false;
        if (read < PcapFormat.PacketHeaderLength)
            return Fail("the file ends within a packet's header");
        if (!TryReadHeader(out int captured))
            return false;
        read = await FillAsync(captured, cancellation).ConfigureAwait(false);
        if (read < captured)
            return Fail("the file ends within the packet");
        Count++;
        TakePacket(captured);
        return true;
    }

    private bool TryReadHeader(out int captured)
    {
        ReadOnlySpan<byte> header = _buffer.AsSpan(0, PcapFormat.PacketHeaderLength);
        uint fraction = BinaryPrimitives.ReadUInt32LittleEndian(header[4..]), length = BinaryPrimitives.ReadUInt32LittleEndian(header[8..]);
        captured = (int)Math.Min(length, PcapFormat.MostBytes);
        if (length > PcapFormat.MostBytes)
            return Fail(FormattableString.Invariant($"its length is {length} bytes, more than {PcapFormat.MostBytes}"));
        if (fraction >= (_isNanoseconds ? 1_000_000_000 : 1_000_000))
            return Fail(FormattableString.Invariant($"its time has a fraction of {fraction}"));
        Time = (BinaryPrimitives.ReadUInt32LittleEndian(header) * 1_000_000_000L) + (_isNanoseconds ? fraction : fraction * 1000L);
        IsBad = BinaryPrimitives.ReadUInt32LittleEndian(header[12..]) > length; // cut off when it was captured
        return true;
    }

    private void TakePacket(int captured)
    {
        ReadOnlySpan<byte> cooked = _buffer.AsSpan(0, captured);
        Datagram = default;
        if (captured < PcapFormat.CookedLength
            || BinaryPrimitives.ReadUInt16BigEndian(cooked[PcapFormat.HardwareOffset..]) != PcapFormat.ArphrdNetlink)
            IsBad = true;
        else if (!IsBad && BinaryPrimitives.ReadUInt16BigEndian(cooked[PcapFormat.ProtocolOffset..]) == NetlinkSocket.NETLINK_NETFILTER)
            Datagram = _buffer.AsMemory(PcapFormat.CookedLength, captured - PcapFormat.CookedLength);
    }

    private async ValueTask<int> FillAsync(int length, CancellationToken cancellation)
    {
        int read = await stream.ReadAtLeastAsync(_buffer.AsMemory(0, length), length, throwOnEndOfStream: false, cancellation)
            .ConfigureAwait(false);
        Bytes += read;
        return read;
    }

    private bool Fail(string problem)
    {
        Problem = problem;
        return false;
    }
}
