using System.Net;
using System.Net.Sockets;
using System.Text;
using ConntrackStream.EventTap.Filtering;
using ConntrackStream.Pipeline;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Service.Api;
using ConntrackStream.Service.Output;

namespace ConntrackStream.Service.Tests.Api;

// Clients that do not read, and clients that do not ask.
public sealed partial class ApiServerTests
{
    private const int Most = 4;

    private readonly TaskCompletionSource _allWait = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<Exception> _firstEnd = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _waiting;
    private int _ended;

    [Fact]
    public async Task Clients_that_do_not_read_hold_up_neither_health_nor_status()
    {
        _query = EndlessAsync;
        await using ApiServer server = await StartAsync(static settings =>
        {
            settings.MaxConnections = Most;
            settings.ReadTimeout = TimeSpan.FromHours(1);
        });
        using Clients readers = new(_socket);
        for (int i = 0; i < Most; i++)
            await readers.SendAsync("/v1/flows?format=ndjson", Cancellation);
        await _allWait.Task.WaitAsync(Cancellation);

        for (int i = 0; i < Most + ApiConnections.Spare; i++)
        {
            Socket refused = await readers.SendAsync("/v1/flows?format=ndjson", Cancellation);
            Assert.StartsWith("HTTP/1.1 503 ", await ReadSomeAsync(refused), StringComparison.Ordinal);
        }

        Assert.Equal((HttpStatusCode.OK, "{\"status\":\"ok\"}\n"), await GetAsync("/healthz"));
        Assert.Equal(HttpStatusCode.OK, (await GetAsync("/v1/status")).Status);
        Assert.Equal(HttpStatusCode.OK, (await GetAsync("/metrics")).Status);
        Assert.Equal(0, _ended);

        await server.StopAsync(Cancellation); // although they still do not read
        Assert.Equal(Most, _ended);
    }

    [Fact]
    public async Task A_client_that_does_not_read_is_disconnected_and_its_place_is_free()
    {
        _query = EndlessAsync;
        await using ApiServer server = await StartAsync(static settings =>
        {
            settings.MaxConnections = 1;
            settings.ReadTimeout = TimeSpan.FromSeconds(2);
        });
        using Clients readers = new(_socket);
        await readers.SendAsync("/v1/flows?format=ndjson", Cancellation);
        Assert.IsAssignableFrom<OperationCanceledException>(await _firstEnd.Task.WaitAsync(Cancellation));
        _query = null;
        Assert.Equal(3, await CountWhenFreeAsync());
    }

    /// <summary>The place of an answer is free a moment after its query has ended.</summary>
    private async Task<long> CountWhenFreeAsync()
    {
        while (true)
        {
            try
            {
                return await ApiClient.CountAsync(_socket, "proto=tcp,udp", Cancellation);
            }
            catch (IOException e) when (e.Message.Contains("Api:MaxConnections", StringComparison.Ordinal))
            {
                await Task.Yield();
            }
        }
    }

    [Fact]
    public async Task Connections_without_a_request_make_room_for_new_ones_the_quietest_first()
    {
        await using ApiServer server = await StartAsync(static settings =>
        {
            settings.MaxConnections = 1;
            settings.IdleTimeout = TimeSpan.FromHours(1);
        });
        using Clients idle = new(_socket);
        Socket first = await idle.ConnectAsync(Cancellation), second = await idle.SendAsync("/readyz", Cancellation);
        Assert.StartsWith("HTTP/1.1 200 ", await ReadAnswerAsync(second), StringComparison.Ordinal);
        await Clients.SendAsync(first, "/readyz", Cancellation);
        Assert.StartsWith("HTTP/1.1 200 ", await ReadAnswerAsync(first), StringComparison.Ordinal);
        for (int i = 2; i <= ApiConnections.Spare; i++)
            await ReadAnswerAsync(await idle.SendAsync("/readyz", Cancellation));

        Assert.Equal((HttpStatusCode.OK, "{\"status\":\"ok\"}\n"), await GetAsync("/healthz"));
        Assert.Equal("", await ReadSomeAsync(second));
        await Clients.SendAsync(first, "/readyz", Cancellation);
        Assert.StartsWith("HTTP/1.1 200 ", await ReadAnswerAsync(first), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_connection_without_a_request_is_closed()
    {
        await using ApiServer server = await StartAsync(static settings => settings.IdleTimeout = TimeSpan.FromSeconds(1));
        using Clients idle = new(_socket);
        Assert.Equal("", await ReadSomeAsync(await idle.ConnectAsync(Cancellation)));
    }

    [Fact]
    public async Task A_batch_that_is_longer_than_the_buffer_of_lines_is_written_whole()
    {
        for (ushort i = 4; i < 256; i++)
            _flows.Add(Flow(i, EventTap.Model.IpProtocol.Tcp, 443));
        _query = OneBatchAsync;
        await using ApiServer server = await StartAsync();
        using MemoryStream output = new();
        Assert.Equal(_flows.Count, await ApiClient.ListAsync(_socket, "", new OutputFormat { Json = true }, output, Cancellation));
        Assert.True(output.Length > 64 * 1024);
    }

    [Fact]
    public async Task An_answer_that_breaks_off_is_an_error()
    {
        _query = static async (_, onRows, _) =>
        {
            FlowChangeBatch batch = new();
            batch.Add() = Flow(1, EventTap.Model.IpProtocol.Tcp, 443);
            await onRows(batch);
            throw new InvalidOperationException("breaks off");
        };
        await using ApiServer server = await StartAsync();
        IOException e =
            await Assert.ThrowsAsync<IOException>(() => ApiClient.ListAsync(_socket, "", new OutputFormat(), Stream.Null, Cancellation));
        Assert.Contains("the answer is not complete", e.Message, StringComparison.Ordinal);
    }

    private async Task<QuerySummary> EndlessAsync(
        FlowFilter filter, Func<FlowChangeBatch, ValueTask> onRows, CancellationToken cancellation)
    {
        FlowChangeBatch batch = new();
        while (!batch.IsFull)
            batch.Add() = Flow(1, EventTap.Model.IpProtocol.Tcp, 443);
        try
        {
            while (true)
            {
                ValueTask written = onRows(batch);
                if (Interlocked.Increment(ref _waiting) == Most && !written.IsCompleted)
                    _allWait.TrySetResult();
                await written;
                Interlocked.Decrement(ref _waiting);
            }
        }
        catch (Exception e)
        {
            Interlocked.Increment(ref _ended);
            _firstEnd.TrySetResult(e);
            throw;
        }
    }

    private async Task<QuerySummary> OneBatchAsync(
        FlowFilter filter, Func<FlowChangeBatch, ValueTask> onRows, CancellationToken cancellation)
    {
        FlowChangeBatch batch = new();
        foreach (FlowChange flow in _flows)
            batch.Add() = flow;
        await onRows(batch);
        return new QuerySummary(0, 0, batch.Count, Synced: true);
    }

    /// <summary>What has come of an answer, nothing when the connection was closed.</summary>
    /// <summary>An answer of one JSON object, which may come in several reads.</summary>
    private static async Task<string> ReadAnswerAsync(Socket client)
    {
        string answer = "", more;
        do
            answer += more = await ReadSomeAsync(client);
        while (more.Length > 0 && !answer.EndsWith("}\n", StringComparison.Ordinal));
        return answer;
    }

    private static async Task<string> ReadSomeAsync(Socket client)
    {
        byte[] answer = new byte[4096];
        try
        {
            return Encoding.ASCII.GetString(answer, 0, await client.ReceiveAsync(answer, Cancellation));
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.ConnectionReset)
        {
            return "";
        }
    }

    private sealed class Clients(string path) : IDisposable
    {
        private readonly List<Socket> _sockets = [];

        public void Dispose() => _sockets.ForEach(static socket => socket.Dispose());

        internal async Task<Socket> ConnectAsync(CancellationToken cancellation)
        {
            Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            _sockets.Add(socket);
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellation);
            return socket;
        }

        internal async Task<Socket> SendAsync(string request, CancellationToken cancellation)
        {
            Socket socket = await ConnectAsync(cancellation);
            await SendAsync(socket, request, cancellation);
            return socket;
        }

        internal static async Task SendAsync(Socket socket, string request, CancellationToken cancellation) =>
            await socket.SendAsync(Encoding.ASCII.GetBytes($"GET {request} HTTP/1.1\r\nHost: api\r\n\r\n"), cancellation);
    }
}
