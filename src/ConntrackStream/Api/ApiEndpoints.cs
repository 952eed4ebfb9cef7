using ConntrackStream.Service.Api.Access;
using ConntrackStream.Service.Api.Document;
using ConntrackStream.Service.Api.Problems;
using ConntrackStream.Service.Api.Streams;
using ConntrackStream.Service.Options;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace ConntrackStream.Service.Api;

/// <summary>The paths of the HTTP interface; docs/openapi.json describes them, and docs/api.md shows each at work.</summary>
internal sealed class ApiEndpoints(ApiBackend backend, ChangeFeed feed, ApiStreamSettings streams, TimeProvider time)
{
    private readonly StreamPlaces _places = new(streams.MaxClients);
    private readonly FlowAnswers _flows = new(backend);
    private readonly StateAnswers _state = new(backend, time);
    private readonly StreamAnswers _streams = new(backend, feed, streams.Heartbeat, time);

    internal void Map(WebApplication app)
    {
        app.UseRouting();
        app.MapGet("/v1/flows", Limited(_flows.ListAsync));
        app.MapGet("/v1/flows/by-tuple", Limited(_flows.FindByTupleAsync));
        app.MapGet("/v1/flows/{id}", Limited(_flows.FindByIdAsync));
        app.MapGet("/v1/count", Limited(_flows.CountAsync));
        app.MapGet("/v1/tombstones", Limited(_state.TombstonesAsync));
        app.MapGet("/v1/rates", Limited(Streaming(_streams.RatesAsync)));
        app.MapGet("/v1/rates/stream", Limited(Streaming(_streams.RateEventsAsync)));
        app.MapGet("/v1/changes", Limited(Streaming(_streams.ChangesAsync)));
        app.MapGet("/v1/summary", Limited(context => SummaryAnswer.WriteAsync(context, backend, time)));
        app.MapGet("/v1/status", _state.StatusAsync);
        app.MapGet("/metrics", _state.MetricsAsync);
        app.MapGet("/healthz", _state.HealthAsync);
        app.MapGet("/readyz", _state.ReadyAsync);
        app.MapGet("/openapi.json", OpenApiDocument.AnswerAsync);
    }

    /// <summary>Of a request whose answer may be of any length.</summary>
    private static RequestDelegate Limited(RequestDelegate answer) => async context =>
    {
        ApiConnections connections = context.Features.GetRequiredFeature<ApiConnections>();
        LinkedListNode<ApiConnection> place = context.Features.GetRequiredFeature<LinkedListNode<ApiConnection>>();
        if (!connections.TryBeginAnswer(place))
        {
            await context.RefuseAsync(
                ProblemType.TooBusy, "as many answers as are allowed (Api:MaxConnections) are on their way; try again")
                .ConfigureAwait(false);
            return;
        }

        try
        {
            await answer(context).ConfigureAwait(false);
        }
        finally
        {
            connections.EndAnswer(place);
        }
    };

    /// <summary>Of a request whose answer has no end.</summary>
    private RequestDelegate Streaming(RequestDelegate answer) => async context =>
    {
        if (!_places.TryTake())
        {
            await context.RefuseAsync(
                ProblemType.TooBusy, "as many streams as are allowed (Api:Streams:MaxClients) are open; end one, or try again later")
                .ConfigureAwait(false);
            return;
        }

        try
        {
            await answer(context).ConfigureAwait(false);
        }
        finally
        {
            _places.Free();
        }
    };
}
