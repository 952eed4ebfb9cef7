using System.Net;
using System.Net.Sockets;
using ConntrackStream.Pipeline.Configuration;
using ConntrackStream.Service.Api.Access;
using ConntrackStream.Service.Api.Problems;
using ConntrackStream.Service.Api.Streams;
using ConntrackStream.Service.Options;
using ConntrackStream.Service.Page;
using ConntrackStream.Sinks.Files;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace ConntrackStream.Service.Api;

/// <summary>The HTTP interface: on a Unix socket, and on TCP where the settings say so.</summary>
/// <param name="addReload">Adds a step of SIGHUP, by its name.</param>
internal sealed class ApiServer(
    ApiSettings settings, ApiBackend backend, Action<string, Action> addReload, TimeProvider time, ILoggerFactory loggers)
    : IHostedService, IAsyncDisposable
{
    private const double BytesPerSecondOfCredit = 1e9;

    private readonly ILogger _logger = loggers.CreateLogger<ApiServer>();
    private readonly HalfClose _halfClose = new(time);
    private readonly ApiConnections _socket = new(settings.MaxConnections), _tcp = new(settings.MaxConnections), _metrics = new(1);
    private readonly ChangeFeed _feed = new(backend.Changes, settings.Streams.KeptChanges, settings.Streams.KeepFor, time);
    private WebApplication? _app;

    /// <summary>Where it listens, as URLs.</summary>
    internal IEnumerable<string> Addresses => _app?.Urls ?? [];

    /// <summary>The paths that it serves, as routing has them.</summary>
    internal IEnumerable<string?> Paths => ((IEndpointRouteBuilder)_app!).DataSources.SelectMany(static source => source.Endpoints)
        .OfType<RouteEndpoint>().Select(static endpoint => endpoint.RoutePattern.RawText);

    /// <exception cref="IOException">An address is in use: the socket's by a service that answers, or by what is no socket.</exception>
    /// <exception cref="ConfigurationException">A file or a group that the settings name cannot be used.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (!settings.Enabled)
            return;
        SocketFile socket = new(settings);
        ApiToken? token = Usable(settings.TokenFile, static file => new ApiToken(file), "Api:TokenFile");
        ApiCertificate? certificate = Usable(settings.Tls.CertificateFile, _ => new ApiCertificate(settings.Tls), "Api:Tls");
        if (socket.RemoveLeftover())
            ApiLog.ApiSocketRemoved(_logger, settings.Socket);
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(settings.Socket))!);
        _app = Build(token, certificate);
        await ListenAsync(_app, cancellationToken).ConfigureAwait(false);
        socket.Open();
        if (token is not null)
            addReload("the API's token", token.Read);
        if (certificate is not null)
            addReload("the API's certificate", certificate.Read);
        foreach (string address in Addresses)
            ApiLog.ApiListening(_logger, address.Replace("http://unix:", "", StringComparison.Ordinal));
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (_app is null)
            return;
        foreach (ApiConnections connections in (ApiConnections[])[_socket, _tcp, _metrics])
            connections.Close();
        await _app.StopAsync(cancellationToken).ConfigureAwait(false);
        File.Delete(settings.Socket);
    }

    public ValueTask DisposeAsync()
    {
        _feed.Dispose();
        return _app?.DisposeAsync() ?? ValueTask.CompletedTask;
    }

    private static T? Usable<T>(string? file, Func<string, T> read, string key)
        where T : class
    {
        try
        {
            return string.IsNullOrEmpty(file) ? null : read(file);
        }
        catch (UnusableFileException e)
        {
            throw new ConfigurationException([$"{key}: {e.Message}"]);
        }
    }

    private WebApplication Build(ApiToken? token, ApiCertificate? certificate)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton(loggers);
        builder.Services.AddRoutingCore();
        builder.Services.AddSingleton<IMemoryPoolFactory<byte>, ApiBuffers>();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => Configure(kestrel, certificate))
            .UseSockets(static sockets => sockets.CreateBoundListenSocket = SocketFile.Bind);
        WebApplication app = builder.Build();
        app.Use(new ProblemMiddleware(_logger).InvokeAsync);
        app.Use(static (context, next) =>
        {
            context.Features.GetRequiredFeature<ApiConnections>().Touch(
                context.Features.GetRequiredFeature<LinkedListNode<ApiConnection>>());
            return next(context);
        });
        app.Use(new PageMiddleware().InvokeAsync);
        app.Use(new AccessMiddleware(token).InvokeAsync);
        new ApiEndpoints(backend, _feed, settings.Streams, time).Map(app);
        return app;
    }

    private async Task ListenAsync(WebApplication app, CancellationToken cancellation)
    {
        try
        {
            await app.StartAsync(cancellation).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            string[] keys = ["Api:Socket", .. settings.Listen.Length > 0 ? ["Api:Listen"] : (string[])[],
                .. settings.Metrics.Listen is null ? (string[])[] : ["Api:Metrics:Listen"]];
            throw new IOException($"the HTTP interface cannot listen ({string.Join(", ", keys)}): {e.Message}", e);
        }
    }

    private void Configure(KestrelServerOptions kestrel, ApiCertificate? certificate)
    {
        kestrel.ListenUnixSocket(settings.Socket, listen => Serve(listen, ListenerKind.Socket, _socket));
        foreach (string address in settings.Listen)
        {
            kestrel.Listen(IPEndPoint.Parse(address), listen =>
            {
                Serve(listen, ListenerKind.Tcp, _tcp);
                if (certificate is not null)
                    listen.UseHttps(new TlsHandshakeCallbackOptions { OnConnection = _ => ValueTask.FromResult(certificate.Options) });
            });
        }

        if (settings.Metrics.Listen is { } metrics)
            kestrel.Listen(IPEndPoint.Parse(metrics), listen => Serve(listen, ListenerKind.Metrics, _metrics));
        kestrel.AddServerHeader = false;
        kestrel.AllowSynchronousIO = false; // a client that does not read must hold no thread
        kestrel.Limits.MaxRequestBodySize = 0;
        kestrel.Limits.MaxRequestLineSize = 8192;
        kestrel.Limits.MaxRequestHeadersTotalSize = 16 * 1024;
        kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
        kestrel.Limits.KeepAliveTimeout = settings.IdleTimeout;
        // A write may take ReadTimeout. At a lower rate than this Kestrel would credit a client that stops with all that it has read
        // before.
        kestrel.Limits.MinResponseDataRate = new MinDataRate(BytesPerSecondOfCredit, settings.ReadTimeout);
        kestrel.Limits.MaxResponseBufferSize = 0; // a write is done when the socket has it all
    }

    private void Serve(ListenOptions listen, ListenerKind kind, ApiConnections connections)
    {
        Listener listener = new(kind);
        listen.Protocols = HttpProtocols.Http1; // one request at a time on a connection
        listen.Use(next => connection => _halfClose.ServeAsync(connection, next));
        listen.Use(next => connection =>
        {
            connection.Features.Set(listener);
            return connections.ServeAsync(connection, next);
        });
    }
}
