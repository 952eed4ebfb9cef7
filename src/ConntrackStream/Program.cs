using ConntrackStream.Service.Cli;

return await new CommandLine(CliContext.OfProcess()).RunAsync(args, CancellationToken.None).ConfigureAwait(false);
