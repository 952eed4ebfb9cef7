using ConntrackStream.Service.Cli;

namespace ConntrackStream.Service.Tests.Verbs;

public sealed class CollectVerbTests
{
    [Theory]
    [InlineData("collect", "--directory")]
    [InlineData("collect --directory /tmp --share 2/3", "--share: '2/3' is not such as 2/4, with 1, 2, 4, 8 or 16 parts")]
    [InlineData("collect --directory /tmp --share 5/4", "--share: '5/4' is not such as 2/4")]
    [InlineData("collect --directory /tmp --name a.b", "--name: 'a.b' has other characters than letters, digits, - and _")]
    [InlineData("collect --directory /tmp --create-stream --replicas 2", "--replicas: '2' is not 1, 3 or 5")]
    [InlineData("collect --directory /tmp --create-stream --max-age 7", "--max-age: '7' is not a duration (7d, 12h, 30m)")]
    [InlineData("collect --directory /tmp --create-stream --max-bytes lots", "--max-bytes: 'lots' is not a size from 1 MiB up (100GiB)")]
    [InlineData("collect --directory /tmp --replicas 3", "--replicas: only for --create-stream")]
    [InlineData("collect --directory /nonexistent", "--directory: /nonexistent does not exist; create it, or name another one")]
    [InlineData("collect --directory /tmp --set Nats:TokenFile=/nonexistent", "Nats:TokenFile: /nonexistent does not exist, or is no file")]
    [InlineData("collect --directory /tmp --from kafka --create-stream", "--create-stream: only for NATS")]
    [InlineData("collect --directory /tmp --from kafka", "--from kafka: no plug-in of Plugins:Sinks can be collected from so")]
    public async Task Wrong_usage_ends_with_2(string arguments, string message)
    {
        (int code, string output, string error) = await RunAsync(arguments.Split(' '));
        Assert.Equal(2, code);
        Assert.Empty(output);
        Assert.Contains(message, error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Once_ends_with_1_where_no_server_can_be_reached()
    {
        DirectoryInfo directory = Directory.CreateTempSubdirectory("collect-");
        try
        {
            (int code, _, string error) = await RunAsync(
                "collect", "--directory", directory.FullName, "--once", "--set", "Nats:Servers=nats://127.0.0.1:1"); // tcpmux
            Assert.Equal(1, code);
            string[] lines = error.TrimEnd().Split('\n');
            Assert.StartsWith("conntrack-stream: 0 records in 0 messages written", lines[^2], StringComparison.Ordinal);
            Assert.Equal(
                "conntrack-stream: --once: the rest cannot be collected: nats://127.0.0.1:1: no connection can be made", lines[^1]);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task Its_help_has_examples()
    {
        (int code, string output, _) = await RunAsync("collect", "--help");
        Assert.Equal(0, code);
        Assert.Contains("conntrack-stream collect --directory /var/log/flows --share 1/4", output, StringComparison.Ordinal);
    }

    private static async Task<(int Code, string Output, string Error)> RunAsync(params string[] arguments)
    {
        using MemoryStream output = new();
        await using StringWriter error = new();
        CliContext context = new() { Output = output, Error = error, Environment = new System.Collections.Hashtable() };
        int code = await new CommandLine(context).RunAsync(arguments, TestContext.Current.CancellationToken);
        return (code, System.Text.Encoding.UTF8.GetString(output.ToArray()), error.ToString());
    }
}
