using System.Buffers;
using Microsoft.AspNetCore.Connections;

namespace ConntrackStream.Service.Api;

/// <summary>
/// The server's buffers come from the pool that the process shares. The server's own pools wake three threads every ten seconds to trim
/// themselves (.NET 10), also without a connection.
/// </summary>
internal sealed class ApiBuffers : IMemoryPoolFactory<byte>
{
    public MemoryPool<byte> Create(MemoryPoolOptions? options = null) => MemoryPool<byte>.Shared;
}
