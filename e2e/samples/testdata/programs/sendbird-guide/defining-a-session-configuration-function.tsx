const USER_ID = 'USER_ID';

function configureSession() {
  return {
    async onSessionTokenRequired(resolve, reject) {
      try {
        resolve(await issueSessionToken(USER_ID));
      } catch (error) {
        reject(error);
      }
    },
    onSessionRefreshed() {},
    onSessionError(error) {},
    onSessionClosed() {},
  };
}
