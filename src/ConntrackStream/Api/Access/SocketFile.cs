using System.Globalization;
using System.Net;
using System.Net.Sockets;
using ConntrackStream.Pipeline.Configuration;
using ConntrackStream.Pipeline.Files;
using ConntrackStream.Service.Options;
using ConntrackStream.Sinks.Files;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Win32.SafeHandles;

namespace ConntrackStream.Service.Api.Access;

/// <summary>The Unix socket as a file: who may connect is who may write to it.</summary>
internal sealed class SocketFile(ApiSettings settings)
{
    private const UnixFileMode OwnUser = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly uint? _group = GroupOf(settings.SocketGroup);

    /// <summary>Removes what a killed run left: only a socket, and only if no service answers on it.</summary>
    /// <returns>Whether there was one.</returns>
    /// <exception cref="IOException">The path is in use: by a service that answers, or by something that is no socket.</exception>
    internal bool RemoveLeftover()
    {
        string path = settings.Socket;
        if (!FileStat.TryRead(path, out FileStat stat))
            return false;
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
            return true;
        }

        throw new IOException($"Api:Socket: another service answers on {path} already");
    }

    /// <summary>
    /// A socket to listen on. The file of a Unix socket lets in the service's user alone from its first moment, whatever the umask.
    /// </summary>
    internal static Socket Bind(EndPoint place)
    {
        if (place is not UnixDomainSocketEndPoint)
            return SocketTransportOptions.CreateDefaultBoundListenSocket(place);
        Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            using SafeFileHandle descriptor = new(socket.Handle, ownsHandle: false);
            File.SetUnixFileMode(descriptor, OwnUser); // bind(2) gives the file this mode
            socket.Bind(place);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Lets in whom the settings say. Until then only the service's own user may connect.</summary>
    /// <exception cref="UnauthorizedAccessException">The group cannot be set.</exception>
    internal void Open()
    {
        if (_group is { } group)
            FileGroup.Set(settings.Socket, group);
        File.SetUnixFileMode(settings.Socket, settings.ParsedSocketMode());
    }

    private static uint? GroupOf(string? name)
    {
        if (name is null)
            return null;
        if (uint.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out uint number))
            return number;
        return FileGroup.Find(name) ?? throw new ConfigurationException([$"Api:SocketGroup: there is no group '{name}' (getent group)"]);
    }
}
