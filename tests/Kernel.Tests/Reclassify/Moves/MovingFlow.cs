using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Kernel.Tests.Kit;

namespace ConntrackStream.Kernel.Tests.Reclassify.Moves;

/// <summary>What a user sees: one connection, and when it is reset another in its place.</summary>
internal sealed class MovingFlow : IDisposable
{
    private readonly KernelNamespace _from;
    private readonly TrafficKind _kind;
    private TrafficClient _client;
    private readonly List<long> _resets = [];
    private long _progress;

    private MovingFlow(KernelNamespace from, TrafficKind kind, TrafficClient client)
    {
        _from = from;
        _kind = kind;
        _client = client;
        First = UplinkRig.Tuple(IpProtocol.Tcp, client.Source, client.Destination);
    }

    /// <summary>The first connection, as the client sees it.</summary>
    internal FlowTuple First { get; }

    /// <summary>When each reset was seen: a timestamp of Stopwatch.</summary>
    internal long[] Resets
    {
        get
        {
            lock (_resets)
                return [.. _resets];
        }
    }

    /// <summary>By which the present connection goes.</summary>
    internal int Uplink => _client.Uplink;

    /// <summary>How it failed otherwise than by a reset, or could not be opened again; null: it did not.</summary>
    internal SocketError? Failure { get; private set; }

    internal static async Task<MovingFlow> OpenAsync(KernelNamespace from, IPEndPoint to, TrafficKind kind, CancellationToken token) =>
        new(from, kind, await TrafficClient.OpenAsync(from, to, kind, token));

    /// <summary>Goes on until cancelled or failed.</summary>
    internal async Task RunAsync(Task wake, CancellationToken token)
    {
        try
        {
            while (true)
            {
                SocketError end = await _client.RunAsync(wake, token);
                if (end != SocketError.ConnectionReset)
                {
                    Failure = end;
                    return;
                }

                long at = Stopwatch.GetTimestamp();
                TrafficClient again = await TrafficClient.OpenAsync(_from, _client.Destination, _kind, token);
                _client.Dispose();
                _client = again;
                Volatile.Write(ref _progress, 0);
                lock (_resets)
                    _resets.Add(at);
            }
        }
        catch (SocketException e)
        {
            Failure = e.SocketErrorCode;
        }
        catch (OperationCanceledException)
        {
            // the test is over
        }
    }

    /// <summary>From now on <see cref="HasGoneOn"/> means: since this call.</summary>
    internal void Note() => Volatile.Write(ref _progress, _client.Progress);

    /// <summary>Whether the present connection has carried anything since its begin, or since <see cref="Note"/>.</summary>
    internal bool HasGoneOn => Failure is null && _client.Progress > Volatile.Read(ref _progress);

    /// <summary>Reset once, and well on wan2.</summary>
    internal bool HasMoved => Resets.Length == 1 && Uplink == 2 && HasGoneOn;

    public void Dispose() => _client.Dispose();
}
