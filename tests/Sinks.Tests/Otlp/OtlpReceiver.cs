using System.Collections.Concurrent;
using System.IO.Compression;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.Logging;

namespace ConntrackStream.Sinks.Tests.Otlp;

/// <summary>
/// A collector on loopback, over HTTP/1.1 or gRPC, that keeps what it gets and answers as the test says: each answer once, then it accepts.
/// </summary>
internal sealed class OtlpReceiver : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly bool _isGrpc;
    private readonly ConcurrentQueue<Func<HttpContext, Task>> _answers = new();
    private readonly List<ReceivedRequest> _requests = [];

    private OtlpReceiver(WebApplication app, bool isGrpc) => (_app, _isGrpc) = (app, isGrpc);

    internal int Port { get; private init; }

    /// <summary>All so far, accepted or not.</summary>
    internal IReadOnlyList<ReceivedRequest> Requests
    {
        get
        {
            lock (_requests)
                return [.. _requests];
        }
    }

    /// <summary>Records of requests with logs that were accepted.</summary>
    internal IReadOnlyList<DecodedRecord> Records =>
        [.. Requests.Where(static one => one.IsAccepted).SelectMany(static one => one.Records)];

    internal static async Task<OtlpReceiver> StartAsync(
        bool isGrpc = false, int port = 0, X509Certificate2? certificate = null, Action<X509Certificate2?>? onClient = null)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        int chosen = port != 0 ? port : FreePort();
        builder.WebHost.UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, chosen, listen =>
        {
            listen.Protocols = isGrpc ? HttpProtocols.Http2 : HttpProtocols.Http1;
            if (certificate is not null)
                listen.UseHttps(new HttpsConnectionAdapterOptions
                {
                    ServerCertificate = certificate,
                    ClientCertificateMode = onClient is null ? ClientCertificateMode.NoCertificate : ClientCertificateMode.AllowCertificate,
                    ClientCertificateValidation = (client, _, _) =>
                    {
                        onClient?.Invoke(client);
                        return true;
                    },
                });
        }));
        WebApplication app = builder.Build();
        OtlpReceiver receiver = new(app, isGrpc) { Port = chosen };
        app.Run(receiver.HandleAsync);
        await app.StartAsync(TestContext.Current.CancellationToken);
        return receiver;
    }

    /// <summary>What the next request gets that none of the earlier answers is for.</summary>
    internal void Next(Func<HttpContext, Task> answer) => _answers.Enqueue(answer);

    /// <summary>An HTTP status, with Retry-After if there is one.</summary>
    internal void NextStatus(int status, string? retryAfter = null) => Next(context =>
    {
        context.Response.StatusCode = status;
        if (retryAfter is not null)
            context.Response.Headers.RetryAfter = retryAfter;
        return Task.CompletedTask;
    });

    /// <summary>A gRPC status, in the trailers of an answer without a message.</summary>
    internal void NextGrpcStatus(int status, string? message = null, byte[]? details = null) => Next(context =>
    {
        context.Response.ContentType = "application/grpc";
        context.Response.AppendTrailer("grpc-status", $"{status}");
        if (message is not null)
            context.Response.AppendTrailer("grpc-message", Uri.EscapeDataString(message));
        if (details is not null)
            context.Response.AppendTrailer("grpc-status-details-bin", Convert.ToBase64String(details).TrimEnd('='));
        return Task.CompletedTask;
    });

    /// <summary>Acceptance with a message of the test's.</summary>
    internal void NextMessage(byte[] message) => Next(context => AcceptAsync(context, message));

    public async ValueTask DisposeAsync()
    {
        using CancellationTokenSource atOnce = new(0); // requests under way are cut off
        await _app.StopAsync(atOnce.Token);
        await _app.DisposeAsync();
    }

    private async Task HandleAsync(HttpContext context)
    {
        byte[] body = await ReadAsync(context);
        bool isAccepted = !_answers.TryDequeue(out Func<HttpContext, Task>? answer);
        ReceivedRequest request = new(
            context.Request.Path, context.Request.Headers.ToDictionary(
                static header => header.Key, static header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase),
            body, isAccepted);
        lock (_requests)
            _requests.Add(request);
        await (answer is null ? AcceptAsync(context, []) : answer(context));
    }

    private async Task AcceptAsync(HttpContext context, byte[] message)
    {
        context.Response.ContentType = _isGrpc ? "application/grpc" : "application/x-protobuf";
        if (_isGrpc)
        {
            await context.Response.Body.WriteAsync(new byte[] { 0, 0, 0, 0, (byte)message.Length });
            context.Response.AppendTrailer("grpc-status", "0");
        }

        await context.Response.Body.WriteAsync(message);
    }

    private async Task<byte[]> ReadAsync(HttpContext context)
    {
        using MemoryStream body = new();
        await context.Request.Body.CopyToAsync(body);
        byte[] bytes = body.ToArray();
        bool isCompressed = context.Request.Headers.ContentEncoding == "gzip";
        if (_isGrpc)
        {
            Assert.Equal(bytes.Length - 5, System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(bytes.AsSpan(1)));
            isCompressed = bytes[0] == 1;
            bytes = bytes[5..];
        }

        return isCompressed ? Decompress(bytes) : bytes;
    }

    private static byte[] Decompress(byte[] bytes)
    {
        using MemoryStream plain = new();
        using (GZipStream gzip = new(new MemoryStream(bytes), CompressionMode.Decompress))
            gzip.CopyTo(plain);
        return plain.ToArray();
    }

    private static int FreePort()
    {
        using System.Net.Sockets.TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
