using System.Text;
using ConntrackStream.Service.Cli;
using ConntrackStream.Service.Tests.Api;

namespace ConntrackStream.Service.Tests.Verbs;

/// <summary>health, for probes that run a command.</summary>
public sealed class HealthVerbTests
{
    [Fact]
    public async Task Its_exit_code_says_how_the_service_is()
    {
        await using LiveApi api = await LiveApi.StartAsync();
        Assert.Equal((0, "ok\n", ""), await RunAsync("--socket", api.Socket));
        Assert.Equal((0, "ready\n", ""), await RunAsync("--socket", api.Socket, "--ready"));
        Assert.Equal((0, "{\"status\":\"ok\"}\n", ""), await RunAsync("--socket", api.Socket, "-o", "json"));

        api.IsSynced = false;
        Assert.Equal((0, "ok\n", ""), await RunAsync("--socket", api.Socket));
        (int code, string output, _) = await RunAsync("--socket", api.Socket, "--ready");
        Assert.Equal(1, code);
        Assert.StartsWith("not well: a comparison with the kernel's table is under way or due", output, StringComparison.Ordinal);

        api.IsHealthy = static _ => Task.FromResult(false);
        (code, output, _) = await RunAsync("--socket", api.Socket, "-o", "json");
        Assert.Equal(1, code);
        Assert.StartsWith("{\"type\":\"/problems/unhealthy\"", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_service_it_ends_with_3()
    {
        (int code, string output, string error) = await RunAsync("--socket", "/nonexistent/api.sock");
        Assert.Equal((3, ""), (code, output));
        Assert.Contains("no service answers on /nonexistent/api.sock: there is no such socket", error, StringComparison.Ordinal);
    }

    private static async Task<(int Code, string Output, string Error)> RunAsync(params string[] arguments)
    {
        using MemoryStream output = new();
        StringWriter error = new();
        CommandLine line = new(new CliContext { Output = output, Error = error });
        int code = await line.RunAsync(["health", .. arguments], TestContext.Current.CancellationToken);
        return (code, Encoding.UTF8.GetString(output.ToArray()), error.ToString());
    }
}
