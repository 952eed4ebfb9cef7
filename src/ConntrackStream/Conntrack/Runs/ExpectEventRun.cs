using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Service.Cli;
using ConntrackStream.Service.Conntrack.Syntax;

namespace ConntrackStream.Service.Conntrack.Runs;

/// <summary><c>-E expect</c>: expectations that come and go, until SIGINT or SIGTERM.</summary>
internal sealed class ExpectEventRun(ConntrackSession session, CliContext context, NetworkNamespace space)
{
    private static readonly int[] Groups =
        [Nfnl.NFNLGRP_CONNTRACK_EXP_NEW, Nfnl.NFNLGRP_CONNTRACK_EXP_UPDATE, Nfnl.NFNLGRP_CONNTRACK_EXP_DESTROY];

    /// <returns>How many events were shown.</returns>
    internal long Run(CancellationToken outer)
    {
        ExpectLines lines = new(context.Output, session.Output, context.Time);
        using Interruption interruption = new(outer);
        using NetlinkSocket socket = Open();
        using WakeEvent wake = new();
        using CancellationTokenRegistration registration = interruption.Token.Register(wake.Set);
        using SocketPoll poll = new(socket.Handle, wake);
        byte[] buffer = new byte[KernelRequest.BufferLength];
        while (!interruption.Token.IsCancellationRequested)
        {
            poll.Wait(Timeout.Infinite);
            Show(socket, buffer, lines);
        }

        lines.EndFrame();
        lines.Flush();
        return lines.Count;
    }

    private NetlinkSocket Open()
    {
        NetlinkSocket socket = space.Run(static () => new NetlinkSocket(NetlinkSocket.NETLINK_NETFILTER));
        try
        {
            foreach (int group in Groups)
                socket.Join(group);
            return socket;
        }
        catch (NetlinkException)
        {
            socket.Dispose();
            throw new ConntrackFault(ConntrackFault.Other, "Can't open handler");
        }
    }

    /// <summary>What is queued.</summary>
    private void Show(NetlinkSocket socket, byte[] buffer, ExpectLines lines)
    {
        int length;
        while ((length = socket.Receive(buffer, out uint sender, wait: false)) != -(int)Errno.EAGAIN)
        {
            if (length < 0 && length != -(int)Errno.ENOBUFS)
                throw new ConntrackFault(ConntrackFault.Other, $"Operation failed: {NetlinkException.DescribeErrno((Errno)(-length))}");
            if (length <= 0 || length > buffer.Length || sender != 0)
                continue;
            MessageReader messages = new(buffer.AsSpan(0, length));
            while (messages.Next())
            {
                if (ExpectationDecoder.TryRead(messages.Message, out FlowEventType type, out Expectation? expectation))
                    lines.Write(type, expectation);
            }
        }

        lines.Flush();
    }
}
