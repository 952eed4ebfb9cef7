using ConntrackStream.Pipeline.Modules;
using ConntrackStream.Sinks.Otlp;
using ConntrackStream.Sinks.Otlp.Options;

namespace ConntrackStream.Sinks.Tests.Otlp;

/// <summary>How requests look and what they carry, over both protocols.</summary>
public sealed class ProtocolOptionsTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("cs-otlp-");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _directory.Delete(recursive: true);

    [Theory]
    [InlineData(OtlpProtocol.Http, OtlpCompression.None)]
    [InlineData(OtlpProtocol.Http, OtlpCompression.Gzip)]
    [InlineData(OtlpProtocol.Grpc, OtlpCompression.None)]
    [InlineData(OtlpProtocol.Grpc, OtlpCompression.Gzip)]
    public async Task Requests_have_the_form_of_their_protocol(OtlpProtocol protocol, OtlpCompression compression)
    {
        await using OtlpRig rig = await OtlpRig.StartAsync(protocol, options =>
        {
            options.Compression = compression;
            options.Host = "gw";
            options.ResourceAttributes = ["service.name=edge", "deployment.environment.name = prod"];
        });
        rig.Collector.NextStatus(503, "1"); // what is sent again is the same
        await rig.SendAsync(1, 300);
        rig.Time.Advance(rig.WaitOfRetry());
        rig.WaitForRecords(300);
        ReceivedRequest request = rig.Collector.Requests[1];
        DecodedLogs logs = DecodedLogs.Read(request.Body);
        Assert.Equal(("edge", "prod", "gw", "conntrack-stream"), (
            logs.Resource["service.name"], logs.Resource["deployment.environment.name"], logs.Resource["host.name"], logs.ScopeName));
        Assert.True(Guid.TryParse(logs.Resource["service.instance.id"], out Guid _));
        Assert.False(string.IsNullOrEmpty(logs.Resource["service.version"]));
        Assert.Equal(
            protocol == OtlpProtocol.Grpc ? "/opentelemetry.proto.collector.logs.v1.LogsService/Export" : "/v1/logs", request.Path);
        Assert.Equal(protocol == OtlpProtocol.Grpc ? "application/grpc" : "application/x-protobuf", request.Headers["Content-Type"]);
        string encoding = protocol == OtlpProtocol.Grpc ? "grpc-encoding" : "Content-Encoding";
        Assert.Equal(compression == OtlpCompression.Gzip, request.Headers.TryGetValue(encoding, out string? gzip) && gzip == "gzip");
        Assert.StartsWith("conntrack-stream/", request.Headers["User-Agent"], StringComparison.Ordinal);
        Assert.Equal(request.Body.Length, rig.Sink.Status.Bytes);
    }

    [Fact]
    public async Task A_token_is_read_for_each_request_and_headers_come_from_options_and_a_file()
    {
        string token = Write("token", "first\n"), headers = Write("headers", "api-key: s3cret\n\nX-Other: a: b\n");
        await using OtlpRig rig = await OtlpRig.StartAsync(configure: options =>
            (options.TokenFile, options.HeadersFile, options.Headers) = (token, headers, ["X-Scope-OrgID: tenant"]));
        rig.Collector.NextStatus(503, "1");
        await rig.SendAsync(1);
        TimeSpan wait = rig.WaitOfRetry();
        Write("token", "second");
        rig.Time.Advance(wait);
        rig.WaitForRecords(1);
        Assert.Equal(
            ("Bearer first", "Bearer second"),
            (rig.Collector.Requests[0].Headers["Authorization"], rig.Collector.Requests[1].Headers["Authorization"]));
        Assert.Equal(("s3cret", "a: b", "tenant"), (
            rig.Collector.Requests[1].Headers["api-key"], rig.Collector.Requests[1].Headers["X-Other"],
            rig.Collector.Requests[1].Headers["X-Scope-OrgID"]));
        File.Delete(token);
        await rig.SendAsync(2);
        Eventually.True(() => rig.Sink.Status.Requests.State.Contains(token, StringComparison.Ordinal)); // and it is sent again
        Assert.ThrowsAny<IOException>(rig.Sink.Reload);
    }

    [Fact]
    public async Task A_file_that_cannot_be_used_ends_the_start()
    {
        await Assert.ThrowsAsync<Pipeline.Configuration.ConfigurationException>(() =>
            OtlpRig.StartAsync(configure: options => options.TokenFile = Path.Combine(_directory.FullName, "none")));
        string two = Write("two", "a token\nand another");
        await Assert.ThrowsAsync<Pipeline.Configuration.ConfigurationException>(() =>
            OtlpRig.StartAsync(configure: options => options.TokenFile = two));
        string open = Write("open", "token");
        File.SetUnixFileMode(open, UnixFileMode.UserRead | UnixFileMode.OtherWrite);
        await Assert.ThrowsAsync<Pipeline.Configuration.ConfigurationException>(() =>
            OtlpRig.StartAsync(configure: options => options.TokenFile = open));
    }

    [Fact]
    public async Task A_reload_ends_the_wait_for_a_collector()
    {
        await using OtlpRig rig = await OtlpRig.StartAsync();
        rig.Collector.NextStatus(429, "3600");
        await rig.SendAsync(1);
        rig.WaitOfRetry();
        rig.Sink.Reload();
        rig.WaitForRecords(1);
    }

    [Theory]
    [InlineData(OtlpProtocol.Http)]
    [InlineData(OtlpProtocol.Grpc)]
    public async Task The_doctor_sends_a_request_of_each_kind_without_records(OtlpProtocol protocol)
    {
        await using OtlpReceiver collector = await OtlpReceiver.StartAsync(protocol == OtlpProtocol.Grpc);
        OtlpOptions options = new() { Endpoint = $"http://127.0.0.1:{collector.Port}", Protocol = protocol };
        Assert.Equal([CheckLevel.Ok, CheckLevel.Ok], await LevelsAsync(options));
        Assert.Equal(2, collector.Requests.Count);
        Assert.All(collector.Requests, static request =>
        {
            Assert.Contains("service.name", ProtoTree.Of(request.Body, static _ => true), StringComparison.Ordinal);
            Assert.DoesNotContain("conntrack.event", ProtoTree.Of(request.Body, static _ => true), StringComparison.Ordinal);
        });
        collector.NextStatus(404);
        collector.NextStatus(503);
        Assert.Equal([CheckLevel.Fail, CheckLevel.Warn], await LevelsAsync(options));
        await collector.DisposeAsync();
        Assert.Equal([CheckLevel.Warn, CheckLevel.Warn], await LevelsAsync(options));
    }

    [Fact]
    public async Task The_doctor_warns_of_a_token_that_others_can_read()
    {
        await using OtlpReceiver collector = await OtlpReceiver.StartAsync();
        string token = Write("token", "secret");
        OtlpOptions options = new() { Endpoint = $"http://127.0.0.1:{collector.Port}", Metrics = false, TokenFile = token };
        File.SetUnixFileMode(token, UnixFileMode.UserRead | UnixFileMode.OtherRead);
        Assert.Equal([CheckLevel.Warn, CheckLevel.Ok], await LevelsAsync(options));
        File.SetUnixFileMode(token, UnixFileMode.UserRead);
        Assert.Equal([CheckLevel.Ok], await LevelsAsync(options));
    }

    private static async Task<CheckLevel[]> LevelsAsync(OtlpOptions options) =>
        [.. (await OtlpCheck.RunAsync(options, TimeProvider.System, Cancel)).Select(static result => result.Level)];

    private string Write(string name, string content)
    {
        string path = Path.Combine(_directory.FullName, name);
        File.WriteAllText(path, content);
        return path;
    }
}
