using System.Net.Sockets;

namespace ConntrackStream.Service.Demo;

/// <summary>A TCP connection with data both ways, ended as the flow says.</summary>
internal static class TcpExchange
{
    /// <returns>Both ends, when the flow is to stay open; else nothing.</returns>
    internal static async Task<IReadOnlyList<Socket>> RunAsync(DemoFlow flow, CancellationToken cancellationToken)
    {
        using Socket listener = flow.To.Open(flow.Listener.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        // Two flows of the plan share a listener's port one after the other. The framework sets SO_REUSEADDR, so that the earlier one's
        // TIME_WAIT does not keep it; its ReuseAddress is SO_REUSEPORT, by which a listener that is not yet closed would take connections.
        await listener.BindAsync(flow.Listener, cancellationToken);
        listener.Listen(backlog: 1);

        Socket client = flow.From.Open(flow.Source.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        Socket? server = null;
        bool keep = false;
        try
        {
            client.Bind(flow.Source);
            await client.ConnectAsync(flow.Dialled, cancellationToken);
            server = await listener.AcceptAsync(cancellationToken);
            await TalkAsync(flow, client, server, cancellationToken);
            keep = flow.End == DemoEnd.StayOpen;
            if (flow.End == DemoEnd.Close)
                await CloseAsync(client, server, cancellationToken);
            else if (flow.End == DemoEnd.Reset)
                client.LingerState = new LingerOption(enable: true, seconds: 0); // close(2) then sends RST
            return keep ? [client, server] : [];
        }
        finally
        {
            if (!keep)
            {
                client.Dispose();
                server?.Dispose();
            }
        }
    }

    private static async Task TalkAsync(DemoFlow flow, Socket client, Socket server, CancellationToken cancellationToken)
    {
        for (int round = 0; round < flow.Rounds; round++)
        {
            await TransferAsync(client, server, flow.RequestBytes, cancellationToken);
            await TransferAsync(server, client, flow.ReplyBytes, cancellationToken);
        }
    }

    private static async Task TransferAsync(Socket from, Socket to, int length, CancellationToken cancellationToken)
    {
        byte[] buffer = new byte[length];
        ValueTask<int> sending = from.SendAsync(buffer, SocketFlags.None, cancellationToken);
        for (int received = 0; received < length;)
        {
            int part = await to.ReceiveAsync(buffer.AsMemory(received), SocketFlags.None, cancellationToken);
            if (part == 0)
                throw new SocketException((int)SocketError.ConnectionReset);
            received += part;
        }

        await sending;
    }

    private static async Task CloseAsync(Socket client, Socket server, CancellationToken cancellationToken)
    {
        byte[] one = new byte[1];
        client.Shutdown(SocketShutdown.Send);
        await server.ReceiveAsync(one, SocketFlags.None, cancellationToken); // its FIN
        server.Shutdown(SocketShutdown.Send);
        await client.ReceiveAsync(one, SocketFlags.None, cancellationToken);
    }
}
