using System.Net.Sockets;

namespace ConntrackStream.Service.Demo;

/// <summary>Makes the flows of a plan, one after another, over real sockets. Not thread-safe.</summary>
/// <param name="plan">What to make.</param>
/// <param name="timeProvider">Times each flow's limit.</param>
internal sealed class DemoTraffic(IReadOnlyList<DemoFlow> plan, TimeProvider timeProvider) : IDisposable
{
    /// <summary>The longest a flow may take; each takes milliseconds unless the network is broken.</summary>
    internal static readonly TimeSpan FlowTimeout = TimeSpan.FromSeconds(3);

    private readonly List<Socket> _open = [];

    internal IReadOnlyList<DemoFlow> Plan => plan;

    /// <summary>Runs the plan once. Flows that stay open do so until <see cref="Dispose"/>.</summary>
    /// <exception cref="IOException">A flow failed; the message names it.</exception>
    /// <exception cref="TimeoutException">A flow took longer than <see cref="FlowTimeout"/>.</exception>
    internal async Task RunAsync(CancellationToken cancellationToken)
    {
        foreach (DemoFlow flow in plan)
        {
            using CancellationTokenSource timeout = new(FlowTimeout, timeProvider);
            using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
            try
            {
                await RunAsync(flow, either.Token);
            }
            catch (SocketException e)
            {
                throw new IOException($"the demo's flow {flow} failed: {e.SocketErrorCode}", e);
            }
            catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
            {
                throw new TimeoutException($"the demo's flow {flow} took longer than {FlowTimeout.TotalSeconds} s", e);
            }
        }
    }

    /// <summary>Closes the connections that were left open.</summary>
    public void Dispose()
    {
        foreach (Socket socket in _open)
            socket.Dispose();
        _open.Clear();
    }

    private async Task RunAsync(DemoFlow flow, CancellationToken cancellationToken)
    {
        switch (flow.Protocol)
        {
            case ProtocolType.Tcp:
                _open.AddRange(await TcpExchange.RunAsync(flow, cancellationToken));
                break;
            case ProtocolType.Udp:
                await UdpExchange.RunAsync(flow, cancellationToken);
                break;
            default:
                await EchoExchange.RunAsync(flow, cancellationToken);
                break;
        }
    }
}
