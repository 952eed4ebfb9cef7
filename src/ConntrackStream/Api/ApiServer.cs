using System.Net.Sockets;
using ConntrackStream.Pipeline.Files;
using ConntrackStream.Service.Options;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace ConntrackStream.Service.Api;

/// <summary>The HTTP interface on a Unix socket with mode 0660: who may connect is who may write to the socket.</summary>
internal sealed class ApiServer(
    ApiSettings settings, ApiBackend backend, TimeProvider time, ILoggerFactory loggers) : IHostedService, IAsyncDisposable
{
    private const double BytesPerSecondOfCredit = 1e9;

    private readonly ILogger _logger = loggers.CreateLogger<ApiServer>();
    private readonly ApiConnections _connections = new(settings.MaxConnections);
    private WebApplication? _app;

    /// <exception cref="IOException">The path is in use: by a service that answers, or by something that is no socket.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (!settings.Enabled)
            return;
        RemoveLeftover(settings.Socket);
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(settings.Socket))!);
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton(loggers);
        builder.Services.AddRoutingCore();
        builder.Services.AddSingleton<IMemoryPoolFactory<byte>, ApiBuffers>();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(Configure);
        _app = builder.Build();
        ApiEndpoints.Map(_app, backend, _connections, time);
        await _app.StartAsync(cancellationToken).ConfigureAwait(false);
        File.SetUnixFileMode(settings.Socket, FileModes.Socket);
        ApiLog.ApiListening(_logger, settings.Socket);
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (_app is null)
            return;
        _connections.Close();
        await _app.StopAsync(cancellationToken).ConfigureAwait(false);
        File.Delete(settings.Socket);
    }

    public ValueTask DisposeAsync() => _app?.DisposeAsync() ?? ValueTask.CompletedTask;

    private void Configure(KestrelServerOptions kestrel)
    {
        kestrel.ListenUnixSocket(settings.Socket, listen =>
        {
            listen.Protocols = HttpProtocols.Http1; // one request at a time on a connection
            listen.Use(next => connection => _connections.ServeAsync(connection, next));
        });
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

    /// <summary>Removes what a killed run left: only a socket, and only if nobody answers on it.</summary>
    private void RemoveLeftover(string path)
    {
        if (!FileStat.TryRead(path, out FileStat stat))
            return;
        if (stat.Type != FileType.Socket)
            throw new IOException($"Api:Socket: {path} exists and is not a socket; it is left alone");
        using Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Connect(new UnixDomainSocketEndPoint(path));
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionRefused)
        {
            File.Delete(path);
            ApiLog.ApiSocketRemoved(_logger, path);
            return;
        }

        throw new IOException($"Api:Socket: another service answers on {path} already");
    }
}
