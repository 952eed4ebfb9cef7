using System.Net.Sockets;

namespace ConntrackStream.Service.Demo;

/// <summary>Datagrams and their answers.</summary>
internal static class UdpExchange
{
    internal static async Task RunAsync(DemoFlow flow, CancellationToken cancellationToken)
    {
        using Socket server = flow.To.Open(flow.Listener.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        await server.BindAsync(flow.Listener, cancellationToken);
        using Socket client = flow.From.Open(flow.Source.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        client.Bind(flow.Source);
        await client.ConnectAsync(flow.Dialled, cancellationToken);

        byte[] buffer = new byte[Math.Max(flow.RequestBytes, flow.ReplyBytes)];
        for (int round = 0; round < flow.Rounds; round++)
        {
            await client.SendAsync(buffer.AsMemory(0, flow.RequestBytes), SocketFlags.None, cancellationToken);
            SocketReceiveFromResult request = await server.ReceiveFromAsync(buffer, SocketFlags.None, flow.Source, cancellationToken);
            await server.SendToAsync(buffer.AsMemory(0, flow.ReplyBytes), SocketFlags.None, request.RemoteEndPoint, cancellationToken);
            await client.ReceiveAsync(buffer, SocketFlags.None, cancellationToken);
        }
    }
}
