using System.Globalization;
using System.Threading.Channels;
using ConntrackStream.EventTap;
using ConntrackStream.EventTap.Filtering;
using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Service.Cli;
using ConntrackStream.Service.Output;
using ConntrackStream.Sinks.Text;
using Microsoft.Extensions.Logging.Abstractions;

namespace ConntrackStream.Service.Verbs;

/// <summary>Prints the tap's events; the filter's changing part (mark, state, status) is judged here, event by event.</summary>
internal sealed class Watcher(NetworkNamespace networkNamespace, FlowEventType[] events, FlowFilter filter, int limit, CliContext context)
{
    private const int QueuedBatches = 256;
    private const long LastBarrier = 1;
    private static readonly TimeSpan RestPatience = TimeSpan.FromSeconds(1);

    private readonly int _mask = events.Length == 0 ? -1 : events.Aggregate(0, static (mask, type) => mask | (1 << (int)type));
    private long _lost;
    private long _reconnects;

    internal async Task<int> RunAsync(OutputFormat format, CancellationToken outer)
    {
        using Interruption interruption = new(outer);
        Channel<TapMessage> channel = Channel.CreateBounded<TapMessage>(new BoundedChannelOptions(QueuedBatches) { SingleReader = true });
        NetlinkPrograms programs = new(networkNamespace, context.Time);
        LineOutput lines = new(context.Output, format, networkNamespace.IsCurrent ? null : networkNamespace.Name, programs.NameOf);
        TapOptions options = new()
        {
            Namespace = networkNamespace,
            Updates = (_mask & (1 << (int)FlowEventType.Update)) != 0,
            Filter = filter,
        };
        ConntrackTap tap = new(options, channel.Writer, new FlowBatchPool(), context.Time, NullLogger<ConntrackTap>.Instance);
        await using (tap.ConfigureAwait(false))
        {
            await tap.StartAsync(interruption.Token).ConfigureAwait(false);
            await PrintAsync(channel.Reader, lines, interruption.Token).ConfigureAwait(false);
            await PrintRestAsync(tap, channel.Reader, lines).ConfigureAwait(false);
        }

        lines.Finish();
        context.Tell(string.Create(CultureInfo.InvariantCulture, $"{lines.Lines} flow events have been shown{Losses()}."));
        return ExitCode.Done;
    }

    private async Task PrintAsync(ChannelReader<TapMessage> messages, LineOutput lines, CancellationToken cancellation)
    {
        try
        {
            while (lines.Lines < limit && await messages.WaitToReadAsync(cancellation).ConfigureAwait(false))
            {
                while (lines.Lines < limit && messages.TryRead(out TapMessage message))
                    Handle(message, lines);
                lines.Flush();
            }
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            // The end, in order.
        }
    }

    /// <summary>What had happened before the signal is shown too: a barrier stands behind it.</summary>
    private async Task PrintRestAsync(ConntrackTap tap, ChannelReader<TapMessage> messages, LineOutput lines)
    {
        using CancellationTokenSource patience = new(RestPatience, context.Time);
        bool isAsked = tap.RequestBarrier(LastBarrier);
        try
        {
            while (lines.Lines < limit && await messages.ReadAsync(patience.Token).ConfigureAwait(false) is var message
                && message is not { Kind: TapMessageKind.Barrier, Token: LastBarrier })
            {
                Handle(message, lines);
                if (!isAsked && message.Kind == TapMessageKind.Connected) // the signal came before the reader was up
                    isAsked = tap.RequestBarrier(LastBarrier);
            }
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested)
        {
            // A storm that does not end, or no socket: enough.
        }
    }

    private void Handle(TapMessage message, LineOutput lines)
    {
        switch (message.Kind)
        {
            case TapMessageKind.Events:
                Write(message.Batch!, lines);
                message.Batch!.Release();
                break;
            case TapMessageKind.Overrun:
                _lost += message.Lost;
                context.Fail(string.Create(
                    CultureInfo.InvariantCulture, $"{message.Lost} events lost: the kernel's buffer for this program was full"));
                break;
            case TapMessageKind.Disconnected:
                _reconnects++;
                context.Fail($"the event socket failed ({message.Error?.Message}), events may be missing until it is open again");
                break;
        }
    }

    private void Write(FlowBatch batch, LineOutput lines)
    {
        foreach (ref readonly FlowEvent e in batch.Span)
        {
            if ((_mask & (1 << (int)e.Type)) != 0 && filter.Matches(e.Flow) && lines.Lines < limit)
                lines.Write(e);
        }
    }

    private string Losses() => (_lost, _reconnects) switch
    {
        (0, 0) => "",
        (_, 0) => string.Create(CultureInfo.InvariantCulture, $", {_lost} lost"),
        _ => string.Create(
            CultureInfo.InvariantCulture, $", {_lost} lost and more while the event socket was reopened ({_reconnects} times)"),
    };
}
