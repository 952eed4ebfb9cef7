using System.Threading.Channels;
using ConntrackStream.EventTap;
using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Service.Cli;
using ConntrackStream.Service.Conntrack.Syntax;
using ConntrackStream.Sinks.Text;
using Microsoft.Extensions.Logging.Abstractions;

namespace ConntrackStream.Service.Conntrack.Runs;

/// <summary><c>-E</c>: events until SIGINT or SIGTERM, each batch written at once.</summary>
internal sealed class EventRun(ConntrackJob job, ConntrackSession session, CliContext context, NetworkNamespace space)
{
    private const int QueuedBatches = 256;

    /// <returns>How many events were shown.</returns>
    internal async Task<long> RunAsync(CancellationToken outer)
    {
        EntryMatch match = new(job);
        NetlinkPrograms programs = new(space, context.Time);
        EntryLines lines = new(
            context.Output, session.Output, EntryLines.Options(session.Output, session.Labels, programs.NameOf), hasXmlFrame: true);
        using Interruption interruption = new(outer, endsInOrder: true); // timeout(1) sends its signal twice
        Channel<TapMessage> channel = Channel.CreateBounded<TapMessage>(new BoundedChannelOptions(QueuedBatches) { SingleReader = true });
        TapOptions options = new()
        {
            Namespace = space,
            Updates = Shows(FlowEventType.Update),
            ReceiveBufferBytes = job.Has(Given.BufferSize) ? SetBuffer() : null,
        };
        ConntrackTap tap = new(options, channel.Writer, new FlowBatchPool(), context.Time, NullLogger<ConntrackTap>.Instance);
        await using (tap.ConfigureAwait(false))
        {
            try
            {
                await StartAsync(tap, interruption.Token).ConfigureAwait(false);
                await PrintAsync(channel.Reader, match, lines, interruption.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (interruption.Token.IsCancellationRequested)
            {
                // The end, in order.
            }
        }

        lines.EndFrame();
        lines.Flush();
        return lines.Count;
    }

    private bool Shows(FlowEventType type) => (job.Events & (1u << (int)type)) != 0;

    /// <summary>Tries the size on a socket of its own, and says what the kernel makes of it.</summary>
    private long SetBuffer()
    {
        using NetlinkSocket socket = space.Run(static () => new NetlinkSocket(NetlinkSocket.NETLINK_NETFILTER));
        long granted = SocketBuffer.Set(socket, Math.Max(job.BufferBytes, 0) * 2, out _);
        session.Error.WriteLine($"NOTICE: Netlink socket buffer size has been set to {granted} bytes.");
        return granted;
    }

    private async Task StartAsync(ConntrackTap tap, CancellationToken cancellation)
    {
        try
        {
            await tap.StartAsync(cancellation).ConfigureAwait(false);
        }
        catch (NetlinkException e)
        {
            session.Error.WriteLine($"mnl_socket_bind: {NetlinkException.DescribeErrno(e.Errno)}");
            throw new ConntrackFault(ConntrackFault.Other, "Can't open netlink socket");
        }
    }

    private async Task PrintAsync(ChannelReader<TapMessage> messages, EntryMatch match, EntryLines lines, CancellationToken cancellation)
    {
        while (await messages.WaitToReadAsync(cancellation).ConfigureAwait(false))
        {
            while (messages.TryRead(out TapMessage message))
                Handle(message, match, lines);
            lines.Flush();
        }
    }

    private void Handle(TapMessage message, EntryMatch match, EntryLines lines)
    {
        if (message.Kind is TapMessageKind.Overrun or TapMessageKind.Disconnected)
        {
            session.Error.WriteLine(
                "WARNING: We have hit ENOBUFS! We are losing events.\n"
                + "This message means that the current netlink socket buffer size is too small.\n"
                + "Please, check --buffer-size in conntrack(8) manpage.");
            return;
        }

        if (message.Kind != TapMessageKind.Events)
            return;
        foreach (ref readonly FlowEvent e in message.Batch!.Span)
        {
            if (Shows(e.Type) && (job.Family == FlowFamily.Unspecified || job.Family == e.Flow.Original.Family) && match.Matches(e.Flow))
                lines.Write(e, job.Command);
        }

        message.Batch.Release();
    }
}
