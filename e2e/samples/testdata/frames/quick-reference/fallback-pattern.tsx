// sample: Fallback Pattern

say('secret', await getClientSecret());
say('calls', calls);
