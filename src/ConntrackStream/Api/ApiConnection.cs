using Microsoft.AspNetCore.Connections;

namespace ConntrackStream.Service.Api;

/// <summary>A client's connection in the books of <see cref="ApiConnections"/>, whose lock guards it.</summary>
internal sealed class ApiConnection(ConnectionContext connection)
{
    /// <summary>An answer of any length is on its way.</summary>
    internal bool IsAnswering { get; set; }

    internal void Abort(string reason) => connection.Abort(new ConnectionAbortedException(reason));
}
