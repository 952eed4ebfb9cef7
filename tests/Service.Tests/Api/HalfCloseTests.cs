using System.Net.Sockets;
using System.Text;
using ConntrackStream.Kernel.Tests.Kit;

namespace ConntrackStream.Service.Tests.Api;

/// <summary>Clients that end their side of the connection when they have asked, and clients that end it all.</summary>
public sealed class HalfCloseTests
{
    private static readonly byte[] Health = Encoding.ASCII.GetBytes("GET /healthz HTTP/1.1\r\nHost: api\r\n\r\n");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("HTTP/1.0\r\n\r\n", "{\"version\":\"1\"")]
    [InlineData("HTTP/1.1\r\nHost: localhost\r\n\r\n", "{\"version\":\"1\"")]
    public async Task Socat_gets_its_answer_over_the_socket(string rest, string answer)
    {
        await using LiveApi api = await LiveApi.StartAsync();
        string output = ToolRun.Output("socat", ["-t", "30", "-", $"UNIX-CONNECT:{api.Socket}"], $"GET /v1/status {rest}");
        Assert.StartsWith("HTTP/1.1 200 OK\r\n", output, StringComparison.Ordinal);
        Assert.Contains(answer, output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Socat_gets_its_answer_over_tcp()
    {
        await using LiveApi api = await LiveApi.StartAsync(static (_, settings) => settings.Listen = ["127.0.0.1:0"]);
        string output = ToolRun.Output(
            "socat", ["-t", "30", "-", $"TCP:127.0.0.1:{api.TcpAddresses[0].Port}"], "GET /v1/status HTTP/1.0\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 200 OK\r\n", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_list_of_thousands_is_whole()
    {
        await using LiveApi api = await LiveApi.StartAsync();
        await api.Live.StartAsync([.. Enumerable.Range(1, 3000).Select(static port => (ushort)port)]);
        string output = ToolRun.Output(
            "socat", ["-t", "30", "-", $"UNIX-CONNECT:{api.Socket}"], "GET /v1/flows?format=text HTTP/1.0\r\n\r\n");
        Assert.Equal(3000, output.Split('\n').Count(static line => line.StartsWith("tcp ", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task An_answer_that_comes_later_than_the_end_of_the_request_is_sent()
    {
        await using LiveApi api = await LiveApi.StartAsync();
        TaskCompletionSource<bool> healthy = new();
        TaskCompletionSource asked = new();
        api.IsHealthy = _ =>
        {
            asked.SetResult();
            return healthy.Task;
        };
        using Socket client = await ConnectAsync(api);
        await client.SendAsync(Health, Cancellation);
        await asked.Task.WaitAsync(Cancellation);
        client.Shutdown(SocketShutdown.Send);
        using EventReader other = await EventReader.OpenAsync(api, "/v1/rates/stream?interval=100ms"); // some time passes
        for (int i = 0; i < 11; i++) // more than a second, much less than the five that a health check may take
            await other.NextAsync("sample");
        healthy.SetResult(true);
        byte[] answer = new byte[4096];
        int length = await client.ReceiveAsync(answer, Cancellation);
        Assert.StartsWith("HTTP/1.1 200 OK", Encoding.ASCII.GetString(answer, 0, length), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_client_that_is_gone_is_noticed_at_once_and_one_that_goes_after_half_closing_soon()
    {
        await using LiveApi api = await LiveApi.StartAsync();
        TaskCompletionSource gone = NewEnd(api);
        using (Socket client = await ConnectAsync(api))
            await client.SendAsync(Health, Cancellation);
        await gone.Task.WaitAsync(Cancellation);

        gone = NewEnd(api);
        using (Socket client = await ConnectAsync(api))
        {
            await client.SendAsync(Health, Cancellation);
            client.Shutdown(SocketShutdown.Send);
        }

        await gone.Task.WaitAsync(Cancellation);
    }

    /// <summary>Done when the request for health is given up.</summary>
    private static TaskCompletionSource NewEnd(LiveApi api)
    {
        TaskCompletionSource gone = new(TaskCreationOptions.RunContinuationsAsynchronously);
        api.IsHealthy = async token =>
        {
            using CancellationTokenRegistration registration = token.Register(gone.SetResult);
            await gone.Task;
            throw new OperationCanceledException(token);
        };
        return gone;
    }

    private static async Task<Socket> ConnectAsync(LiveApi api)
    {
        Socket client = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await client.ConnectAsync(new UnixDomainSocketEndPoint(api.Socket), Cancellation);
        return client;
    }
}
