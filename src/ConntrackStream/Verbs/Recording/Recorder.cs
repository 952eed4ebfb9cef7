using System.Globalization;
using ConntrackStream.EventTap;
using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.EventTap.Filtering;
using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Pipeline.Loop;
using ConntrackStream.Service.Cli;
using ConntrackStream.Sinks.Recording;
using Microsoft.Extensions.Logging.Abstractions;

namespace ConntrackStream.Service.Verbs.Recording;

/// <summary>Reads an event socket on a thread of its own and writes each datagram of the kernel to a capture.</summary>
internal sealed class Recorder(TapOptions options, bool anonymizes, CliContext context)
{
    private const int DatagramBytes = 64 * 1024;

    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(100); // for the end, while no event comes
    private static readonly TimeSpan RestPatience = TimeSpan.FromSeconds(1); // for what is queued at the end

    private readonly MessageAnonymizer? _anonymizer = anonymizes ? new MessageAnonymizer(new AddressCipher(HashSeed.Random())) : null;
    private readonly FlowFilter? _filter = options.Filter.Stable is { IsEmpty: false } filter ? filter : null;
    private readonly FlowBatch _decoded = new();
    private long _lost, _leftOut;
    private bool _isFull;

    internal async Task<int> RunAsync(string file, long mostBytes, TimeSpan time, CancellationToken outer)
    {
        using Interruption interruption = new(outer);
        using TapSocket socket = TapSocket.Open(options, context.Time, NullLogger.Instance);
        socket.Netlink.SetReceiveTimeout(LookInterval);
        Stream output = file == RecordVerb.StandardOutput ? context.Output : CaptureFile.Create(file);
        PcapWriter capture;
        await using (output.ConfigureAwait(false))
        {
            BufferedStream buffered = new(output, 1 << 16);
            await using (buffered.ConfigureAwait(false))
            {
                capture = new PcapWriter(buffered, mostBytes);
                await OwnThread.Run("record", () => Record(socket, capture, buffered, time, interruption.Token)).ConfigureAwait(false);
            }
        }

        context.Tell(string.Create(
            CultureInfo.InvariantCulture,
            $"{capture.Packets} packets recorded, {capture.Bytes} bytes; {_lost} events lost{LeftOut()}{Full()}."));
        return ExitCode.Done;

        string Full() => _isFull ? "; ended at --max-bytes" : "";
    }

    private string LeftOut() => _leftOut == 0
        ? ""
        : string.Create(CultureInfo.InvariantCulture, $"; {_leftOut} could not be anonymized and were left out");

    private void Record(TapSocket socket, PcapWriter capture, Stream buffered, TimeSpan time, CancellationToken end)
    {
        SocketDrops drops = new(socket.Netlink);
        byte[] datagram = new byte[DatagramBytes];
        long began = context.Time.GetTimestamp(), endAt = long.MaxValue;
        while (!_isFull && context.Time.GetElapsedTime(began) < time && context.Time.GetTimestamp() < endAt)
        {
            int length = socket.Netlink.Receive(datagram, out uint sender);
            long now = context.Time.UnixNanoseconds();
            bool isEmpty = -length == (int)Errno.EAGAIN;
            if (length < 0 && !isEmpty && -length != (int)Errno.ENOBUFS)
                throw new NetlinkException("receiving conntrack events", (Errno)(-length));
            if (length > datagram.Length)
                throw new NetlinkException("receiving conntrack events", Errno.EMSGSIZE);
            if (length > 0 && sender == 0)
                Write(datagram.AsSpan(0, length), capture, now);
            if (isEmpty)
                buffered.Flush();
            TellLoss(drops, capture, now);
            if (!end.IsCancellationRequested)
                continue;
            if (isEmpty)
                return;
            endAt = Math.Min(endAt, context.Time.GetTimestamp() + (long)(RestPatience.TotalSeconds * context.Time.TimestampFrequency));
        }
    }

    private void Write(Span<byte> datagram, PcapWriter capture, long now)
    {
        if (_filter is not null && !IsWanted(datagram, now))
            return;
        if (_anonymizer is not null && !_anonymizer.TryReplace(datagram))
            _leftOut++;
        else
            _isFull = !capture.TryWrite(datagram, now);
    }

    private void TellLoss(SocketDrops drops, PcapWriter capture, long now)
    {
        uint lost = drops.ReadIncrease();
        if (lost == 0 || _isFull)
            return;
        _lost += lost;
        _isFull = !capture.TryWriteLoss(lost, now);
        context.Fail(string.Create(
            CultureInfo.InvariantCulture, $"{lost} events lost: the kernel's buffer for this program was full"));
    }

    /// <summary>The kernel's part of a filter lets through what only the whole of it refuses.</summary>
    private bool IsWanted(ReadOnlySpan<byte> datagram, long now)
    {
        MessageReader messages = new(datagram);
        while (messages.Next())
        {
            _decoded.Reset();
            if (FlowDecoder.Decode(messages.Message, _decoded, now) == DecodeResult.Decoded && _filter!.Matches(_decoded.Span[0].Flow))
                return true;
        }

        return false;
    }
}
